//! JSON written straight into a buffer: nothing is allocated for an event.

use bstr::{BStr, ByteSlice};

/// Writes one object. Dropping it closes it.
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

impl<'a> Object<'a> {
    /// Begins an object.
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Object<'a> {
        out.push(b'{');
        Object { out, empty: true }
    }

    /// Writes a name, which must not need escaping, and lends the place of its value.
    pub(crate) fn key(&mut self, name: &str) -> &mut Vec<u8> {
        if !std::mem::take(&mut self.empty) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// A number.
    pub(crate) fn number(&mut self, name: &str, value: impl itoa::Integer) {
        let mut digits = itoa::Buffer::new();
        self.key(name).extend_from_slice(digits.format(value).as_bytes());
    }

    /// A number, or null.
    pub(crate) fn number_or_null(&mut self, name: &str, value: Option<impl itoa::Integer>) {
        match value {
            Some(value) => self.number(name, value),
            None => self.null(name),
        }
    }

    /// Null.
    pub(crate) fn null(&mut self, name: &str) {
        self.key(name).extend_from_slice(b"null");
    }

    /// A string.
    pub(crate) fn string(&mut self, name: &str, value: &str) {
        string(self.key(name), value);
    }

    /// A string; bytes that are not UTF-8 become replacement characters.
    pub(crate) fn bytes(&mut self, name: &str, value: &BStr) {
        string(self.key(name), &value.to_str_lossy());
    }

    /// An object.
    pub(crate) fn object(&mut self, name: &str) -> Object<'_> {
        Object::new(self.key(name))
    }

    /// An array of objects.
    pub(crate) fn objects<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        write: impl FnMut(&mut Object<'_>, T),
    ) {
        array(self.key(name), items, write);
    }
}

/// Appends an array of objects.
pub(crate) fn array<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Object<'_>, T),
) {
    out.push(b'[');
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(&mut Object::new(out), item);
    }
    out.push(b']');
}

impl Drop for Object<'_> {
    fn drop(&mut self) {
        self.out.push(b'}');
    }
}

fn string(out: &mut Vec<u8>, value: &str) {
    // A Vec takes every byte and every string has a form in JSON.
    serde_json::to_writer(out, value).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_json() {
        let mut out = Vec::new();
        let mut object = Object::new(&mut out);
        object.number("n", u64::MAX);
        object.number_or_null("none", None::<i64>);
        object.bytes("text", BStr::new(b"\"\n\xff"));
        object.object("inner").number("m", -1);
        object.objects("list", [1, 2], |item, n| item.number("i", n));
        drop(object);
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let expected = serde_json::json!({
            "n": u64::MAX, "none": null, "text": "\"\n\u{fffd}", "inner": {"m": -1},
            "list": [{"i": 1}, {"i": 2}],
        });
        assert_eq!(value, expected);
    }
}
