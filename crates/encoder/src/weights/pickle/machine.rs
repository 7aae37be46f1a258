//! The stack machine: opcodes of pickle protocol 2, as far as tensors need them.

use std::collections::HashMap;

use super::refusal::Refusal;
use super::values::{Callable, Storage, TensorView, Value, global};
use crate::weights::safetensors::MOST_AXES;

/// Most values on the stack, in the memo, and in tables: some hundred times what a large network needs.
const MOST_VALUES: usize = 1 << 20;

/// Most tensors of a file.
const MOST_TENSORS: usize = 1 << 16;

/// Longest name of a tensor or storage. A text can be used many times over but is read once: without
/// a bound, a small file could ask for copies without end.
const MOST_NAME: usize = 512;

/// Most arguments of a call: `_rebuild_tensor_v2` has seven.
const MOST_ARGUMENTS: usize = 8;

/// A step's outcome; the position is added where all of them come together.
type Step<T> = Result<T, String>;

pub(super) struct Machine<'a> {
    bytes: &'a [u8],
    position: usize,
    stack: Vec<Value>,
    /// Heights of the stack at each MARK.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    tuples: Vec<Vec<Value>>,
    lists: Vec<Vec<Value>>,
    dicts: Vec<Vec<(Value, Value)>>,
    storages: Vec<Storage>,
    tensors: Vec<TensorView>,
}

impl<'a> Machine<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            position: 0,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            tuples: Vec::new(),
            lists: Vec::new(),
            dicts: Vec::new(),
            storages: Vec::new(),
            tensors: Vec::new(),
        }
    }

    /// Runs to STOP and reads the dictionary that is then on the stack.
    pub(super) fn run(mut self) -> Result<Vec<(String, TensorView)>, Refusal> {
        loop {
            let position = self.position;
            let refuse = |problem| Refusal { position, problem };
            match self.byte().map_err(refuse)? {
                b'.' => return self.result().map_err(refuse),
                opcode => self.step(opcode).map_err(refuse)?,
            }
            if self.stack.len() > MOST_VALUES
                || self.marks.len() > MOST_VALUES
                || self.memo.len() > MOST_VALUES
            {
                return Err(refuse(format!("more than {MOST_VALUES} values at once")));
            }
        }
    }

    fn step(&mut self, opcode: u8) -> Step<()> {
        match opcode {
            // PROTO
            0x80 => match self.byte()? {
                2..=3 => Ok(()),
                other => Err(format!("protocol {other}; torch.save writes 2")),
            },
            b'(' => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            b'}' => self.new_dict(),
            b']' => self.new_list(),
            b')' => self.new_tuple(Vec::new()),
            b't' => {
                let items = self.pop_to_mark()?;
                self.new_tuple(items)
            }
            0x85..=0x87 => {
                let items = self.top(usize::from(opcode - 0x84))?;
                self.new_tuple(items)
            }
            b'N' => self.push(Value::None),
            0x88 | 0x89 => self.push(Value::Bool),
            b'J' => {
                let number = i32::from_le_bytes(self.array()?);
                self.push(Value::Int(i64::from(number)))
            }
            b'K' => {
                let number = self.byte()?;
                self.push(Value::Int(i64::from(number)))
            }
            b'M' => {
                let number = u16::from_le_bytes(self.array()?);
                self.push(Value::Int(i64::from(number)))
            }
            0x8a => self.long(),
            b'G' => {
                let _: [u8; 8] = self.array()?;
                self.push(Value::Float)
            }
            b'X' => self.text(),
            b'c' => self.global(),
            b'q' => {
                let index = u32::from(self.byte()?);
                self.remember(index)
            }
            b'r' => {
                let index = u32::from_le_bytes(self.array()?);
                self.remember(index)
            }
            b'h' => {
                let index = u32::from(self.byte()?);
                self.recall(index)
            }
            b'j' => {
                let index = u32::from_le_bytes(self.array()?);
                self.recall(index)
            }
            b'a' => {
                let item = self.pop()?;
                self.extend(vec![item])
            }
            b'e' => {
                let items = self.pop_to_mark()?;
                self.extend(items)
            }
            b's' => {
                let pair = self.top(2)?;
                self.set_items(&pair)
            }
            b'u' => {
                let pairs = self.pop_to_mark()?;
                self.set_items(&pairs)
            }
            b'Q' => self.persistent(),
            b'R' => self.reduce(),
            b'b' => self.build(),
            other => Err(format!(
                "opcode 0x{other:02x} (`{}`) is not used by tensors",
                char::from(other).escape_default()
            )),
        }
    }

    fn byte(&mut self) -> Step<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Step<[u8; N]> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let found = rest.first_chunk().copied().ok_or("the pickle ends in the middle")?;
        self.position += N;
        Ok(found)
    }

    /// The next `len` bytes' place, if there are as many.
    fn take(&mut self, len: usize) -> Step<(usize, usize)> {
        let start = self.position;
        let end = start.checked_add(len).filter(|end| *end <= self.bytes.len());
        self.position = end.ok_or("the pickle ends in the middle of a text or number")?;
        Ok((start, self.position))
    }

    fn push(&mut self, value: Value) -> Step<()> {
        self.stack.push(value);
        Ok(())
    }

    /// Takes the topmost value above the last mark.
    fn pop(&mut self) -> Step<Value> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err("nothing is on the stack".to_owned());
        }
        self.stack.pop().ok_or_else(|| "nothing is on the stack".to_owned())
    }

    fn top(&mut self, count: usize) -> Step<Vec<Value>> {
        let mut items = (0..count).map(|_| self.pop()).collect::<Step<Vec<_>>>()?;
        items.reverse();
        Ok(items)
    }

    fn pop_to_mark(&mut self) -> Step<Vec<Value>> {
        let mark = self.marks.pop().filter(|mark| *mark <= self.stack.len());
        Ok(self.stack.split_off(mark.ok_or("there is no mark on the stack")?))
    }

    fn new_tuple(&mut self, items: Vec<Value>) -> Step<()> {
        self.tuples.push(items);
        self.made(self.tuples.len())?;
        self.push(Value::Tuple(self.tuples.len() - 1))
    }

    fn new_list(&mut self) -> Step<()> {
        self.lists.push(Vec::new());
        self.made(self.lists.len())?;
        self.push(Value::List(self.lists.len() - 1))
    }

    fn new_dict(&mut self) -> Step<()> {
        self.dicts.push(Vec::new());
        self.made(self.dicts.len())?;
        self.push(Value::Dict(self.dicts.len() - 1))
    }

    fn made(&self, count: usize) -> Step<()> {
        if count > MOST_VALUES { Err(format!("more than {MOST_VALUES} containers")) } else { Ok(()) }
    }

    /// A signed number of up to eight bytes.
    fn long(&mut self) -> Step<()> {
        let len = usize::from(self.byte()?);
        let (start, end) = self.take(len)?;
        let digits = self
            .bytes
            .get(start..end)
            .filter(|digits| digits.len() <= 8)
            .ok_or("a number of over 64 bits")?;
        let fill = if digits.last().is_some_and(|high| high & 0x80 != 0) { 0xff } else { 0 };
        let mut number = [fill; 8];
        for (to, from) in number.iter_mut().zip(digits) {
            *to = *from;
        }
        self.push(Value::Int(i64::from_le_bytes(number)))
    }

    fn text(&mut self) -> Step<()> {
        let len = u32::from_le_bytes(self.array()?);
        let (start, end) = self.take(len as usize)?;
        let valid = self.bytes.get(start..end).is_some_and(|text| std::str::from_utf8(text).is_ok());
        if !valid {
            return Err("a text that is not UTF-8".to_owned());
        }
        self.push(Value::Text(start, end))
    }

    fn line(&mut self) -> Step<&'a str> {
        /// Longer than any name that is known.
        const MOST: usize = 256;
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let end = rest.iter().take(MOST).position(|byte| *byte == b'\n');
        let line = end.and_then(|end| rest.get(..end)).and_then(|line| std::str::from_utf8(line).ok());
        let line = line.ok_or("the name of a global does not end, or is not UTF-8")?;
        self.position += line.len() + 1;
        Ok(line)
    }

    fn global(&mut self) -> Step<()> {
        let (module, name) = (self.line()?, self.line()?);
        let value = global(module, name).ok_or_else(|| {
            format!(
                "it refers to `{}.{}`, which is not needed to hold tensors",
                module.escape_debug(),
                name.escape_debug()
            )
        })?;
        self.push(value)
    }

    fn remember(&mut self, index: u32) -> Step<()> {
        let value = *self.stack.last().ok_or("nothing is on the stack")?;
        self.memo.insert(index, value);
        Ok(())
    }

    fn recall(&mut self, index: u32) -> Step<()> {
        let value = *self.memo.get(&index).ok_or_else(|| format!("nothing was remembered as {index}"))?;
        self.push(value)
    }

    /// Adds to the list that is now on top.
    fn extend(&mut self, items: Vec<Value>) -> Step<()> {
        match self.stack.last() {
            Some(Value::List(list)) => {
                self.lists.get_mut(*list).ok_or("a list is missing")?.extend(items);
                Ok(())
            }
            _ => Err("items are appended to something other than a list".to_owned()),
        }
    }

    /// Adds keys and values, alternating, to the dictionary that is now on top.
    fn set_items(&mut self, items: &[Value]) -> Step<()> {
        let (pairs, rest) = items.as_chunks();
        match self.stack.last() {
            Some(Value::Dict(dict)) if rest.is_empty() => {
                let dict = self.dicts.get_mut(*dict).ok_or("a dict is missing")?;
                dict.extend(pairs.iter().map(|[key, value]| (*key, *value)));
                Ok(())
            }
            _ => Err("items are set in something other than a dict".to_owned()),
        }
    }

    /// `object.__setstate__`: only the attributes of a dictionary, which say nothing of its tensors.
    fn build(&mut self) -> Step<()> {
        match (self.pop()?, self.stack.last()) {
            (Value::Dict(_), Some(Value::Dict(_))) => Ok(()),
            (_, Some(object)) => Err(format!("the state of {} is set", object.kind())),
            (_, None) => Err("nothing is on the stack".to_owned()),
        }
    }

    /// ('storage', class, key, device, elements).
    fn persistent(&mut self) -> Step<()> {
        let wrong = "a persistent id that is not a storage";
        let id = self.pop()?;
        let [kind, Value::Class(dtype), key, _device, Value::Int(len)] = *self.tuple(id).ok_or(wrong)? else {
            return Err(wrong.to_owned());
        };
        let (Some("storage"), Some(key), Ok(len)) = (self.str(kind), self.str(key), usize::try_from(len))
        else {
            return Err(wrong.to_owned());
        };
        if key.len() > MOST_NAME {
            return Err(format!("a storage with a name of {} bytes", key.len()));
        }
        self.storages.push(Storage { key: key.to_owned(), dtype, len });
        self.made(self.storages.len())?;
        self.push(Value::Storage(self.storages.len() - 1))
    }

    fn reduce(&mut self) -> Step<()> {
        let arguments = self.pop()?;
        let arguments = self.tuple(arguments).filter(|arguments| arguments.len() <= MOST_ARGUMENTS);
        let arguments = arguments.ok_or("a call without a tuple of at most eight arguments")?.to_vec();
        match (self.pop()?, arguments.as_slice()) {
            (Value::Callable(Callable::OrderedDict), []) => self.new_dict(),
            (Value::Callable(Callable::Tensor), [storage, offset, size, stride, _grad, _hooks, ..]) => {
                self.tensor(*storage, *offset, *size, *stride)
            }
            (Value::Callable(Callable::Parameter), [tensor @ Value::Tensor(_), ..]) => self.push(*tensor),
            (Value::Callable(callable), arguments) => {
                Err(format!("{callable:?} is called with {} arguments of the wrong kind", arguments.len()))
            }
            (other, _) => Err(format!("{} is called", other.kind())),
        }
    }

    fn tensor(&mut self, storage: Value, offset: Value, size: Value, stride: Value) -> Step<()> {
        let Value::Storage(storage) = storage else {
            return Err(format!("a tensor is made of {}", storage.kind()));
        };
        let storage = self.storages.get(storage).ok_or("a storage is missing")?.clone();
        let numbers = (natural(offset), self.naturals(size), self.naturals(stride));
        let (Some(offset), Some(shape), Some(strides)) = numbers else {
            return Err(format!(
                "a tensor whose offset, size or stride is not a natural number, or of over {MOST_AXES} axes"
            ));
        };
        if shape.len() != strides.len() {
            return Err(format!("a tensor with {} sizes and {} strides", shape.len(), strides.len()));
        }
        let shown = format!("a tensor of size {shape:?} and stride {strides:?} from element {offset}");
        let (key, len) = (storage.key.clone(), storage.len);
        let view = TensorView::checked(storage, offset, shape, strides).ok_or_else(|| {
            format!("{shown} does not fit storage `{}` of {len} elements", key.escape_debug())
        })?;
        self.tensors.push(view);
        self.made(self.tensors.len())?;
        self.push(Value::Tensor(self.tensors.len() - 1))
    }

    fn tuple(&self, value: Value) -> Option<&[Value]> {
        match value {
            Value::Tuple(index) => self.tuples.get(index).map(Vec::as_slice),
            _ => None,
        }
    }

    fn naturals(&self, value: Value) -> Option<Vec<usize>> {
        self.tuple(value)
            .filter(|items| items.len() <= MOST_AXES)?
            .iter()
            .map(|item| natural(*item))
            .collect()
    }

    fn str(&self, value: Value) -> Option<&'a str> {
        match value {
            Value::Text(start, end) => {
                self.bytes.get(start..end).and_then(|text| std::str::from_utf8(text).ok())
            }
            _ => None,
        }
    }

    /// The dictionary on top as names and tensors.
    fn result(&mut self) -> Step<Vec<(String, TensorView)>> {
        let value = self.pop()?;
        let Value::Dict(dict) = value else {
            return Err(format!("the file holds {}, not a dict of tensors", value.kind()));
        };
        let items = self.dicts.get(dict).ok_or("a dict is missing")?;
        if items.len() > MOST_TENSORS {
            return Err(format!("{} tensors, expected at most {MOST_TENSORS}", items.len()));
        }
        let named = items.iter().map(|(key, value)| {
            let name = self.str(*key).ok_or_else(|| format!("a key is {}, not a str", key.kind()))?;
            if name.len() > MOST_NAME {
                return Err(format!("a tensor with a name of {} bytes", name.len()));
            }
            match value {
                Value::Tensor(index) => {
                    let view = self.tensors.get(*index).ok_or("a tensor is missing")?;
                    Ok((name.to_owned(), view.clone()))
                }
                other => Err(format!("`{}` is {}, not a tensor", name.escape_debug(), other.kind())),
            }
        });
        named.collect()
    }
}

fn natural(value: Value) -> Option<usize> {
    match value {
        Value::Int(number) => usize::try_from(number).ok(),
        _ => None,
    }
}
