//! Tests of the pickle reader: what torch writes, and what an attacker might.

use proptest::prelude::*;

use super::values::Storage;
use super::*;
use crate::dtype::Dtype;
use crate::weights::sample::{global, persistent, state_dict, tensor, text};

fn problem(pickle: &[u8]) -> String {
    let refusal = read(pickle).unwrap_err();
    assert!(refusal.position <= pickle.len());
    refusal.problem
}

/// A program with protocol and STOP around it.
fn program(body: &[u8]) -> Vec<u8> {
    [b"\x80\x02", body, b"."].concat()
}

#[test]
fn a_state_dict_is_read() {
    let pickle = state_dict(&[("a.weight", tensor("FloatStorage", "0", 6, 0, &[2, 3], &[3, 1]))]);
    let storage = Storage { key: "0".to_owned(), dtype: Dtype::F32, len: 6 };
    let view = TensorView { storage, offset: 0, shape: vec![2, 3], strides: None, span: 6 };
    assert_eq!(read(&pickle).unwrap(), [("a.weight".to_owned(), view)]);
}

#[test]
fn strides_parameters_and_plain_dicts_are_read() {
    let transposed = tensor("HalfStorage", "1", 10, 2, &[3, 2], &[1, 3]);
    let pickle = program(&[b"}", &text("t")[..], &transposed, b"s"].concat());
    let (name, view) = read(&pickle).unwrap().remove(0);
    assert_eq!((name.as_str(), view.offset, view.span), ("t", 2, 6));
    assert_eq!((view.strides, view.storage.dtype), (Some(vec![1, 3]), Dtype::F16));
    // A parameter around a tensor is the tensor.
    let inner = tensor("LongStorage", "2", 1, 0, &[], &[]);
    let call = [
        &global("torch._utils", "_rebuild_parameter")[..],
        b"(",
        &inner,
        b"\x88",
        &global("collections", "OrderedDict"),
        b")RtR",
    ];
    let pickle = state_dict(&[("p", call.concat())]);
    assert_eq!(read(&pickle).unwrap()[0].1.storage.dtype, Dtype::I64);
}

#[test]
fn axes_of_one_and_empty_tensors_have_no_strides_of_their_own() {
    for (shape, strides) in
        [(&[1, 4][..], &[77, 1][..]), (&[4, 1], &[1, 9]), (&[0, 4], &[4, 1]), (&[4], &[1])]
    {
        let pickle = state_dict(&[("t", tensor("FloatStorage", "0", 4, 0, shape, strides))]);
        assert_eq!(read(&pickle).unwrap()[0].1.strides, None, "{shape:?}");
    }
}

#[test]
fn nothing_can_be_called() {
    let system = [&global("os", "system")[..], &text("true"), b"\x85R"].concat();
    assert!(problem(&program(&system)).contains("it refers to `os.system`"));
    for (module, name) in [
        ("builtins", "eval"),
        ("torch", "load"),
        ("torch", "Storage"),
        ("torch._utils", "_rebuild_tensor"),
        ("collections", "defaultdict"),
        ("collections.OrderedDict", "update"),
    ] {
        assert!(problem(&program(&global(module, name))).contains(&format!("`{module}.{name}`")));
    }
    for opcode in [b'i', b'o', b'P', 0x81, 0x82, 0x8c, 0x93, 0x95, 0x97, b'0', b'2', b'S', b'\0'] {
        assert!(problem(&program(&[opcode])).contains("is not used by tensors"), "{opcode:#x}");
    }
}

#[test]
fn known_callables_take_only_what_torch_gives_them() {
    let call = |module, name, arguments: &[u8]| {
        problem(&program(&[&global(module, name)[..], arguments, b"R"].concat()))
    };
    assert!(
        call("collections", "OrderedDict", b"K\x01\x85")
            .contains("called with 1 arguments of the wrong kind")
    );
    assert!(call("torch._utils", "_rebuild_parameter", b"NNN\x87").contains("3 arguments of the wrong kind"));
    assert!(call("torch._utils", "_rebuild_tensor_v2", b"(NNNNNNt").contains("a tensor is made of None"));
    assert!(call("torch", "FloatStorage", b")").contains("a global is called"));
    let many = [b"(".as_slice(), &[b'N'; 9], b"t"].concat();
    assert!(call("torch._utils", "_rebuild_tensor_v2", &many).contains("at most eight arguments"));
    assert!(problem(&program(b"NQ")).contains("not a storage"));
    assert!(problem(&program(b"}Nb")).contains("the state of a dict is set"));
    assert!(problem(&program(b"]}b")).contains("the state of a list is set"));
}

#[test]
fn tensors_stay_within_their_storage() {
    for (offset, shape, strides) in [
        (1, &[4][..], &[1][..]),
        (0, &[5], &[1]),
        (5, &[0], &[1]),
        (0, &[2, 2], &[1, 3]),
        // Expanded tensors: many elements of few numbers.
        (0, &[1000], &[0]),
        (0, &[2, 4], &[0, 1]),
        (0, &[i64::MAX, i64::MAX], &[1, 1]),
        (0, &[2], &[i64::MAX]),
    ] {
        let pickle = state_dict(&[("t", tensor("FloatStorage", "0", 4, offset, shape, strides))]);
        assert!(
            problem(&pickle).contains("does not fit storage `0` of 4 elements"),
            "{offset} {shape:?} {strides:?}"
        );
    }
    for (offset, shape, strides) in
        [(-1, &[1][..], &[1][..]), (0, &[-1], &[1]), (0, &[1], &[-1]), (0, &[1; 9], &[1; 9])]
    {
        let pickle = state_dict(&[("t", tensor("FloatStorage", "0", 4, offset, shape, strides))]);
        assert!(problem(&pickle).contains("not a natural number"), "{offset} {shape:?} {strides:?}");
    }
    let pickle = state_dict(&[("t", tensor("FloatStorage", "0", 4, 0, &[4], &[]))]);
    assert!(problem(&pickle).contains("1 sizes and 0 strides"));
    let pickle = program(&persistent("FloatStorage", &"k".repeat(600), 1));
    assert!(problem(&pickle).contains("a name of 600 bytes"));
}

#[test]
fn malformed_programs_are_refused() {
    for (pickle, expected) in [
        (&b""[..], "ends in the middle"),
        (b"\x80", "ends in the middle"),
        (b"\x80\x05.", "protocol 5"),
        (b".", "nothing is on the stack"),
        (b"N.", "the file holds None"),
        (b"}N.", "the file holds None"),
        (b"t.", "no mark"),
        (b"(N\x85\x85\x85R.", "nothing is on the stack"),
        (b"}(Nu.", "other than a dict"),
        (b"}(K\x01u.", "other than a dict"),
        (b"}K\x01Ns.", "a key is an int"),
        (b"}X\x01\0\0\0aNs.", "`a` is None, not a tensor"),
        (b"Na.", "other than a list"),
        (b"h\x07.", "nothing was remembered as 7"),
        (b"q\0.", "nothing is on the stack"),
        (b"X\xff\xff\xff\xff.", "in the middle of a text"),
        (b"X\x01\0\0\0\xff.", "not UTF-8"),
        (b"\x8a\x09000000000.", "over 64 bits"),
        (b"cos", "does not end"),
        (b"cos\nsystem", "does not end"),
        (b"((NN\x86t.", "the file holds a tuple"),
    ] {
        let found = problem(pickle);
        assert!(found.contains(expected), "{pickle:?}: {found}");
    }
}

#[test]
fn bombs_of_containers_values_and_copies_are_stopped() {
    let nested = program(&b"\x85".repeat(2 << 20));
    assert!(problem(&nested).contains("nothing is on the stack"));
    let nested = program(&[&b"N"[..], &b"\x85".repeat(2 << 20)].concat());
    assert!(problem(&nested).contains("containers"));
    for opcode in [&b"N"[..], b"("] {
        assert!(problem(&program(&opcode.repeat(2 << 20))).contains("values at once"));
    }
    let remembered: Vec<u8> = (0..2_u32 << 20).flat_map(|i| [&b"r"[..], &i.to_le_bytes()].concat()).collect();
    assert!(problem(&program(&[&b"N"[..], &remembered].concat())).contains("values at once"));
    // One long text as the key of many entries.
    let long = [&text(&"n".repeat(1 << 20))[..], b"q\0"].concat();
    let value = [&tensor("FloatStorage", "0", 1, 0, &[1], &[1])[..], b"q\x01"].concat();
    let body = [&b"}"[..], &long, &value, b"s", &b"h\0h\x01s".repeat(1 << 15)].concat();
    assert!(problem(&program(&body)).contains("a name of 1048576 bytes"));
    let body = [&b"}"[..], &text("n"), b"q\0", &value, b"s", &b"h\0h\x01s".repeat(1 << 17)].concat();
    assert!(problem(&program(&body)).contains("131073 tensors, expected at most 65536"));
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_read(bytes: Vec<u8>) {
        let _ = read(&bytes);
    }

    /// Opcodes that are known, in any order, with small arguments.
    #[test]
    fn any_program_is_refused_or_read(steps in prop::collection::vec((0..26_usize, 0..4_u8), 0..200)) {
        let opcodes = b"(}])t\x85\x86\x87N\x88\x89KMJqhaesuQRbXc.";
        let mut pickle = vec![0x80, 2];
        for (opcode, argument) in steps {
            let opcode = opcodes[opcode % opcodes.len()];
            pickle.push(opcode);
            match opcode {
                b'K' | b'q' | b'h' => pickle.push(argument),
                b'M' => pickle.extend([argument, 0]),
                b'J' => pickle.extend([argument, 0, 0, 0]),
                b'X' => pickle.extend(b"\x07\0\0\0storage"),
                b'c' => match argument {
                    0 => pickle.extend(b"collections\nOrderedDict\n"),
                    1 => pickle.extend(b"torch\nFloatStorage\n"),
                    2 => pickle.extend(b"torch._utils\n_rebuild_tensor_v2\n"),
                    _ => pickle.extend(b"torch._utils\n_rebuild_parameter\n"),
                },
                _ => {}
            }
        }
        let _ = read(&pickle);
    }

    #[test]
    fn a_damaged_state_dict_is_refused_or_read(at in 0..200_usize, byte: u8) {
        let mut pickle = state_dict(&[("a", tensor("FloatStorage", "0", 6, 0, &[2, 3], &[3, 1]))]);
        let at = at % pickle.len();
        pickle[at] = byte;
        let _ = read(&pickle);
    }
}
