//! Makes block-style YAML text out of anything that implements `Serialize`: the Kubernetes
//! objects, the K3s `config.yaml` and the kustomization.
//!
//! The text goes straight into the caller's `String` while serde walks the value, so there is no
//! tree in between and the cost is linear in the text. The layout is kubectl's: two blanks per
//! level, a list's dashes right below its key, an item's first field on the dash line, and never
//! a wrapped line, an anchor or a tag.
//!
//! The readers are YAML 1.1 (K3s and sigs.k8s.io/yaml, both Go yaml.v2) and YAML 1.2, with
//! different ideas of which words are not strings. A string is therefore written plain only if
//! no reader of either version could take it for anything else. Doubt costs two quotation marks.

use serde::ser::{self, Serialize, Serializer};
use std::fmt::{self, Display, Write as _};

#[cfg(test)]
mod tests;

/// Appends `value` to `out` as one document: no `---` before it, a line end after it.
///
/// A document whose last string ends with several line ends (`|+`) must be followed by `---` or
/// a comment, not by an empty line, which would become a part of that string.
///
/// # Errors
///
/// A map key that is a list or a map, or whatever a `Serialize` implementation itself refuses.
/// The types we print do neither. On an error `out` is left as it was.
pub(crate) fn to_yaml<T: Serialize + ?Sized>(value: &T, out: &mut String) -> fmt::Result {
    let start = out.len();
    let printed = value.serialize(Printer::new(out, Place::Root, 0));
    if printed.is_err() {
        out.truncate(start);
    }
    printed
}

/// Appends `s` as a scalar that fits on one line: plain if that is safe, else double-quoted.
pub(crate) fn quote_if_needed(s: &str, out: &mut String) {
    scalar(s, classes_of(s), out);
}

/// Appends `text` as comment lines, each behind `# `; an empty line becomes a bare `#`.
///
/// Characters that YAML forbids in comments, or that some reader takes for a line end, are
/// replaced, so that no text can break out of its comment.
pub(crate) fn comment(text: &str, out: &mut String) {
    for line in text.lines().map(str::trim_end) {
        out.push_str(if line.is_empty() { "#" } else { "# " });
        out.extend(line.chars().map(|c| match c {
            c if c != '\t' && is_hidden(c) => char::REPLACEMENT_CHARACTER,
            c => c,
        }));
        out.push('\n');
    }
}

/// The byte can stand in a plain scalar but in no number and no date.
const WORD: u8 = 1;
/// The byte can open a plain scalar (a dash only in front of a second such byte).
const OPENS: u8 = 2;
/// A blank, `:` or `#`: what it means depends on its neighbours.
const NEIGHBOURS: u8 = 4;
/// A part of a character outside ASCII.
const WIDE: u8 = 8;
/// The byte needs an escape, and a literal block cannot hold it.
const CONTROL: u8 = 16;
/// A line end: a literal block or an escape.
const LINE_END: u8 = 32;
/// The byte does not stand for itself between double quotes.
const ESCAPED: u8 = 64;
/// The byte opens a word that some reader takes for something else than a string.
const KEYWORD: u8 = 128;

/// What each byte means to the scalar printer.
const CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'0'..=b'9' | b'_' | b'e' | b'E' | b'z' | b'Z' => OPENS,
            b'+' | b'-' | b'.' | b't' | b'T' => OPENS | KEYWORD,
            b'F' | b'I' | b'N' | b'O' | b'Y' => OPENS | WORD | KEYWORD,
            b'f' | b'i' | b'n' | b'o' | b'y' => OPENS | WORD | KEYWORD,
            b'A'..=b'Z' | b'a'..=b'z' | b'/' | b'$' | b'(' => OPENS | WORD,
            b' ' | b':' => NEIGHBOURS,
            b',' => 0,
            b'#' => NEIGHBOURS | WORD,
            b'"' | b'\\' => ESCAPED | WORD,
            b'\n' => LINE_END | ESCAPED,
            // A literal block may hold a tab, so it is no control character there.
            b'\t' => ESCAPED,
            0x00..=0x1f | 0x7f => CONTROL | ESCAPED,
            0x80..=0xff => WIDE | ESCAPED | OPENS | WORD,
            _ => WORD,
        };
        byte += 1;
    }
    table
};

/// The class of one byte.
fn class(byte: u8) -> u8 {
    CLASS[usize::from(byte)]
}

/// The classes that occur in `s`, in one pass.
fn classes_of(s: &str) -> u8 {
    s.bytes().fold(0, |seen, byte| seen | class(byte))
}

/// Whether a reader may drop, reorder or take for a line end what `c` stands for: controls, the
/// Unicode line ends, the byte order mark, the marks that turn the writing direction, and what
/// is no character at all.
fn is_hidden(c: char) -> bool {
    match c {
        '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' => true,
        '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fffe}'..='\u{ffff}' => true,
        _ => c.is_control(),
    }
}

/// Appends `s`, in which the classes `seen` occur, plain or double-quoted.
fn scalar(s: &str, seen: u8, out: &mut String) {
    if is_plain(s, seen) {
        out.push_str(s);
    } else {
        quoted(s, out);
    }
}

/// Whether every reader takes the bare text of `s` for the string `s`.
fn is_plain(s: &str, seen: u8) -> bool {
    let bytes = s.as_bytes();
    let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    // `- x` is a list item, and `---` and `...` separate documents.
    let opens = |byte: &u8| class(*byte) & OPENS != 0;
    if !opens(&first)
        || first == b'-' && !bytes.get(1).is_some_and(opens)
        || s.starts_with("---")
        || s.starts_with("...")
    {
        return false;
    }
    // Between words, `: ` makes a map and ` #` a comment.
    if seen & NEIGHBOURS != 0
        && (matches!(last, b' ' | b':')
            || bytes.windows(2).any(|pair| matches!(pair, b": " | b" #")))
    {
        return false;
    }
    let is_odd = |c: char| c.is_control() || !c.is_ascii() && !c.is_alphabetic();
    !(seen & ESCAPED != 0 && s.contains(is_odd) || is_numeric(bytes, seen) || is_keyword(s, first))
}

/// Whether some reader may see a number or a date: a start that numbers have, and then nothing
/// but what numbers and dates are made of, in any order. That covers the octal `0644`, the
/// sexagesimal `1:30`, `1_000`, `1e3`, and even `10.42.0.0`, which the pattern of YAML 1.1
/// lets pass for a decimal fraction.
fn is_numeric(bytes: &[u8], seen: u8) -> bool {
    if !matches!(bytes, [b'0'..=b'9' | b'+' | b'-' | b'.' | b'_', ..]) {
        return false;
    }
    if seen & WORD == 0 {
        // `-e` is a flag, but `.` and `+-` are nothing that we would vouch for.
        return bytes.iter().any(u8::is_ascii_digit) || !bytes.iter().any(u8::is_ascii_alphabetic);
    }
    // With a base in front, letters are digits; Go reads hexadecimal fractions, too.
    let unsigned = bytes.strip_prefix(b"-").or(bytes.strip_prefix(b"+"));
    match unsigned.unwrap_or(bytes) {
        [b'0', b'x' | b'X' | b'o' | b'O' | b'b' | b'B', digits @ ..] => digits
            .iter()
            .all(|b| matches!(b, b'+' | b'-' | b'.' | b'_') || b.is_ascii_alphanumeric()),
        _ => false,
    }
}

/// Whether some reader takes the word `s` for a truth value, for nothing or for a number.
fn is_keyword(s: &str, first: u8) -> bool {
    const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    const NUMBERS: [&str; 3] = ["inf", "infinity", "nan"];
    // Almost no string gets past this line.
    if s.len() > "+.infinity".len() || class(first) & KEYWORD == 0 {
        return false;
    }
    let number = s.trim_start_matches(['+', '-', '.']);
    WORDS.iter().any(|word| s.eq_ignore_ascii_case(word))
        || NUMBERS.iter().any(|word| number.eq_ignore_ascii_case(word))
}

/// Appends `s` between double quotes, on one line.
fn quoted(s: &str, out: &mut String) {
    out.push('"');
    for c in s.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // A blank that is not the blank should show. None of these is above U+FFFF.
            c if is_hidden(c) || c != ' ' && c.is_whitespace() => {
                out.push_str("\\u");
                for shift in [12, 8, 4, 0] {
                    out.extend(char::from_digit((u32::from(c) >> shift) & 0xf, 16));
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Whether a literal block holds `s` and every reader gets it back. Lines of nothing but blanks
/// and a blank at the very end are legal, but no reviewer sees them, so they are escaped.
fn fits_block(s: &str, seen: u8) -> bool {
    seen & CONTROL == 0
        && !(seen & WIDE != 0 && s.contains(|c| c != '\n' && c != '\t' && is_hidden(c)))
        && !s.ends_with([' ', '\t'])
        && s.contains(|c| c != '\n')
        && s.lines()
            .all(|line| line.is_empty() || line.contains(|c| c != ' ' && c != '\t'))
}

/// Appends `s` as a literal block whose lines stand at `indent`, line end included.
fn block(s: &str, indent: usize, out: &mut String) {
    out.push('|');
    // Readers take the depth from the first line that is not empty. Where a blank would mislead
    // them, the depth is spelled out: it is `STEP`.
    if s.starts_with([' ', '\t', '\n']) {
        out.push('2');
    }
    if s.ends_with("\n\n") {
        out.push('+');
    } else if !s.ends_with('\n') {
        out.push('-');
    }
    out.push('\n');
    for line in s.split_inclusive('\n') {
        if line != "\n" {
            pad(indent, out);
        }
        out.push_str(line);
    }
    if !s.ends_with('\n') {
        out.push('\n');
    }
}

/// Appends `indent` blanks.
fn pad(mut indent: usize, out: &mut String) {
    const BLANKS: &str = "                                ";
    while let Some(rest) = indent.checked_sub(BLANKS.len()) {
        out.push_str(BLANKS);
        indent = rest;
    }
    out.push_str(&BLANKS[..indent]);
}

/// How much deeper the inside of a map or an item stands.
const STEP: usize = 2;

/// Keys longer than this get a `?`, because readers give up on a `:` after 1024 characters.
const LONGEST_KEY: usize = 1000;

/// What stands on the line in front of the next value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing: the value is the document.
    Root,
    /// `key:`
    Key,
    /// `-`
    Dash,
    /// The value is itself a key, and `:` will follow.
    InKey,
    /// Other entries of the same list or map, on the lines above.
    Below,
}

/// The spot where a value goes; for a list or a map, also what writes its entries there.
struct Printer<'o> {
    out: &'o mut String,
    place: Place,
    /// Where the innermost open list or map stands.
    indent: usize,
}

impl<'o> Printer<'o> {
    fn new(out: &'o mut String, place: Place, indent: usize) -> Self {
        Printer { out, place, indent }
    }

    /// Writes what stands between the key or the dash and a scalar.
    fn before(&mut self) {
        if matches!(self.place, Place::Key | Place::Dash) {
            self.out.push(' ');
        }
    }

    /// Ends the line of a scalar.
    fn after(self) -> fmt::Result {
        if self.place != Place::InKey {
            self.out.push('\n');
        }
        Ok(())
    }

    /// Writes a scalar that needs no quotes.
    fn bare(mut self, text: impl Display) -> fmt::Result {
        self.before();
        write!(self.out, "{text}")?;
        self.after()
    }

    /// Writes a floating point number, always recognisable as one.
    fn float(self, text: &str) -> fmt::Result {
        match text {
            "NaN" => self.bare(".nan"),
            "inf" => self.bare(".inf"),
            "-inf" => self.bare("-.inf"),
            _ if text.contains('.') => self.bare(text),
            _ => self.bare(format_args!("{text}.0")),
        }
    }

    /// Opens a list: below a key its dashes stand as deep as the key.
    fn list(self) -> Result<Self, fmt::Error> {
        let is_nested = self.place == Place::Dash;
        self.open(if is_nested { STEP } else { 0 })
    }

    /// Opens a map.
    fn map(self) -> Result<Self, fmt::Error> {
        let is_root = self.place == Place::Root;
        self.open(if is_root { 0 } else { STEP })
    }

    /// Opens a list or a map whose entries stand `step` deeper than what is around it.
    fn open(mut self, step: usize) -> Result<Self, fmt::Error> {
        self.indent += step;
        match self.place {
            Place::InKey => Err(fmt::Error),
            Place::Root | Place::Key | Place::Dash | Place::Below => Ok(self),
        }
    }

    /// Opens a map with the one key `name`, and makes its value the spot.
    fn variant(self, name: &'static str) -> Result<Self, fmt::Error> {
        let mut map = self.map()?;
        map.key(name)?;
        map.place = Place::Key;
        Ok(map)
    }

    /// Goes to where the next entry starts. Only the first entry shows that the list or map is
    /// not empty, so it is the one to leave the line of the key.
    fn begin(&mut self) {
        match std::mem::replace(&mut self.place, Place::Below) {
            Place::Dash => return self.out.push(' '),
            Place::Key => self.out.push('\n'),
            Place::Root | Place::InKey | Place::Below => {}
        }
        pad(self.indent, self.out);
    }

    /// Writes one entry of a list.
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> fmt::Result {
        self.begin();
        self.out.push('-');
        value.serialize(Printer::new(self.out, Place::Dash, self.indent))
    }

    /// Writes one entry of a map.
    fn field<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> fmt::Result {
        self.key(key)?;
        self.value(value)
    }

    /// Writes a key and its colon.
    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> fmt::Result {
        self.begin();
        let start = self.out.len();
        key.serialize(Printer::new(self.out, Place::InKey, self.indent))?;
        if self.out.len() - start > LONGEST_KEY {
            self.out.insert_str(start, "? ");
            self.out.push('\n');
            pad(self.indent, self.out);
        }
        self.out.push(':');
        Ok(())
    }

    /// Writes the value behind a key.
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> fmt::Result {
        value.serialize(Printer::new(self.out, Place::Key, self.indent))
    }

    /// Closes a list or a map, which shows as `empty` if it had no entries.
    fn close(self, empty: &str) -> fmt::Result {
        match self.place {
            Place::Below => Ok(()),
            Place::Root | Place::Key | Place::Dash | Place::InKey => self.bare(empty),
        }
    }
}

/// The methods for values that print themselves.
macro_rules! bare {
    ($($method:ident: $type:ty),*) => {
        $(fn $method(self, value: $type) -> fmt::Result {
            self.bare(value)
        })*
    };
}

impl Serializer for Printer<'_> {
    type Ok = ();
    type Error = fmt::Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    bare!(serialize_bool: bool);
    bare!(serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64);
    bare!(serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64);
    bare!(serialize_i128: i128, serialize_u128: u128);

    fn serialize_f32(self, value: f32) -> fmt::Result {
        self.float(&value.to_string())
    }

    fn serialize_f64(self, value: f64) -> fmt::Result {
        self.float(&value.to_string())
    }

    fn serialize_char(self, c: char) -> fmt::Result {
        self.serialize_str(c.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(mut self, s: &str) -> fmt::Result {
        self.before();
        let seen = classes_of(s);
        // Readers disagree about the depth of a block that is the whole document.
        let may_be_block = seen & LINE_END != 0 && matches!(self.place, Place::Key | Place::Dash);
        if may_be_block && fits_block(s, seen) {
            block(s, self.indent + STEP, self.out);
            return Ok(());
        }
        scalar(s, seen, self.out);
        self.after()
    }

    fn serialize_bytes(self, bytes: &[u8]) -> fmt::Result {
        self.collect_seq(bytes)
    }

    fn serialize_none(self) -> fmt::Result {
        self.bare("null")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> fmt::Result {
        value.serialize(self)
    }

    fn serialize_unit(self) -> fmt::Result {
        self.bare("null")
    }

    fn serialize_unit_struct(self, _: &'static str) -> fmt::Result {
        self.bare("null")
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> fmt::Result {
        self.serialize_str(name)
    }

    fn serialize_newtype_struct<T>(self, _: &'static str, value: &T) -> fmt::Result
    where
        T: Serialize + ?Sized,
    {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> fmt::Result {
        value.serialize(self.variant(name)?)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, fmt::Error> {
        self.list()
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, fmt::Error> {
        self.list()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, fmt::Error> {
        self.list()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Self, fmt::Error> {
        self.variant(name)?.list()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, fmt::Error> {
        self.map()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, fmt::Error> {
        self.map()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Self, fmt::Error> {
        self.variant(name)?.map()
    }
}

/// The traits of serde's kinds of lists and structs, most of which YAML does not tell apart.
macro_rules! entries {
    ($($kind:ident, $method:ident($($key:ident)?) => $write:ident, $empty:literal;)*) => {
        $(impl ser::$kind for Printer<'_> {
            type Ok = ();
            type Error = fmt::Error;

            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($key: &'static str,)?
                value: &T,
            ) -> fmt::Result {
                self.$write($($key,)? value)
            }

            fn end(self) -> fmt::Result {
                self.close($empty)
            }
        })*
    };
}

entries! {
    SerializeSeq, serialize_element() => item, "[]";
    SerializeTuple, serialize_element() => item, "[]";
    SerializeTupleStruct, serialize_field() => item, "[]";
    SerializeTupleVariant, serialize_field() => item, "[]";
    SerializeStruct, serialize_field(key) => field, "{}";
    SerializeStructVariant, serialize_field(key) => field, "{}";
}

impl ser::SerializeMap for Printer<'_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> fmt::Result {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> fmt::Result {
        self.value(value)
    }

    fn end(self) -> fmt::Result {
        self.close("{}")
    }
}
