//! Files of weights for tests, put together byte by byte.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// GLOBAL.
pub(super) fn global(module: &str, name: &str) -> Vec<u8> {
    format!("c{module}\n{name}\n").into_bytes()
}

/// BINUNICODE.
pub(super) fn text(text: &str) -> Vec<u8> {
    [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
}

/// LONG1 of eight bytes.
fn number(number: i64) -> Vec<u8> {
    [&b"\x8a\x08"[..], &number.to_le_bytes()].concat()
}

fn tuple(items: &[i64]) -> Vec<u8> {
    let items: Vec<u8> = items.iter().flat_map(|item| number(*item)).collect();
    [b"(", &items[..], b"t"].concat()
}

/// A storage, as torch refers to it.
pub(super) fn persistent(class: &str, key: &str, len: i64) -> Vec<u8> {
    [b"(", &text("storage")[..], &global("torch", class), &text(key), &text("cpu"), &number(len), b"tQ"]
        .concat()
}

/// A call of `_rebuild_tensor_v2`.
pub(super) fn tensor(
    class: &str,
    key: &str,
    len: i64,
    offset: i64,
    shape: &[i64],
    strides: &[i64],
) -> Vec<u8> {
    let hooks = [&global("collections", "OrderedDict")[..], b")R"].concat();
    let call = [
        &global("torch._utils", "_rebuild_tensor_v2")[..],
        b"(",
        &persistent(class, key, len),
        &number(offset),
        &tuple(shape),
        &tuple(strides),
        b"\x89",
        &hooks,
        b"tR",
    ];
    call.concat()
}

/// An OrderedDict of tensors with torch's `_metadata` attribute.
pub(super) fn state_dict(items: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let items: Vec<u8> =
        items.iter().flat_map(|(name, value)| [text(name), value.clone()].concat()).collect();
    let metadata = [b"}", &text("_metadata")[..], &global("collections", "OrderedDict"), b")Rsb"].concat();
    [b"\x80\x02", &global("collections", "OrderedDict")[..], b")Rq\0(", &items, b"u", &metadata, b"."]
        .concat()
}

/// A zip archive of entries with their way of compression.
pub(super) fn archive(entries: &[(&str, &[u8], CompressionMethod)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content, method) in entries {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(*method)).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Numbers as little-endian bytes.
pub(super) fn bytes(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// A safetensors file: header and numbers.
pub(super) fn safetensors(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
}
