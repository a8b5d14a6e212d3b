//! Bytes of files of others to text.

use std::string::FromUtf8Error;

/// The text of a file of somebody else: UTF-8, or UTF-16 that begins with its mark, as PowerShell writes it.
///
/// # Errors
///
/// Bytes that are neither, as they would be in UTF-8.
pub fn text_of_bytes(bytes: Vec<u8>) -> Result<String, FromUtf8Error> {
    let unit: fn([u8; 2]) -> u16 = match bytes.as_slice() {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return String::from_utf8(bytes),
    };
    let units = bytes.chunks_exact(2).skip(1);
    let units = units.map(|pair| unit([pair[0], pair[1]]));
    let text: Option<String> = char::decode_utf16(units).map(Result::ok).collect();
    match text.filter(|_| bytes.len().is_multiple_of(2)) {
        Some(text) => Ok(text),
        None => String::from_utf8(bytes),
    }
}

#[cfg(test)]
#[test]
fn utf_16_is_read_by_its_mark() {
    let text = "a: ü\u{1f600}\n";
    for (mark, bytes) in [
        ([0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]),
        ([0xfe, 0xff], u16::to_be_bytes),
    ] {
        let mut all = mark.to_vec();
        all.extend(text.encode_utf16().flat_map(bytes));
        assert_eq!(text_of_bytes(all.clone()).as_deref(), Ok(text));
        all.pop();
        assert!(text_of_bytes(all).is_err());
    }
    assert_eq!(text_of_bytes(text.as_bytes().to_vec()).as_deref(), Ok(text));
}
