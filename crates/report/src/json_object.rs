//! JSON objects in the order of their writing, whatever features serde_json is built with.

use crate::json_text::push_json_string;

/// A JSON value as bytes.
#[derive(Debug, Clone)]
pub(crate) struct Json(Vec<u8>);

/// A JSON object that is being written.
#[derive(Debug, Clone)]
pub(crate) struct JsonObject(Vec<u8>);

impl Json {
    /// A list.
    pub(crate) fn list<T: Into<Self>>(items: impl IntoIterator<Item = T>) -> Self {
        let mut bytes = vec![b'['];
        for item in items {
            if bytes.len() > 1 {
                bytes.push(b',');
            }
            bytes.append(&mut item.into().0);
        }
        bytes.push(b']');
        Self(bytes)
    }

    /// Appends the bytes.
    pub(crate) fn push(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

impl JsonObject {
    /// An empty object.
    pub(crate) fn new() -> Self {
        Self(vec![b'{'])
    }

    /// The object with another member.
    pub(crate) fn put(mut self, key: &str, value: impl Into<Json>) -> Self {
        if self.0.len() > 1 {
            self.0.push(b',');
        }
        push_json_string(&mut self.0, key);
        self.0.push(b':');
        self.0.append(&mut value.into().0);
        self
    }

    /// The object with another member, where there is a value.
    pub(crate) fn put_some(self, key: &str, value: Option<impl Into<Json>>) -> Self {
        match value {
            Some(value) => self.put(key, value),
            None => self,
        }
    }

    /// The object with a list, where it is not empty.
    pub(crate) fn put_any<T: Into<Json>>(self, key: &str, items: impl IntoIterator<Item = T>) -> Self {
        let mut items = items.into_iter().peekable();
        match items.peek() {
            Some(_) => self.put(key, Json::list(items)),
            None => self,
        }
    }

    /// Appends the object.
    pub(crate) fn push(self, out: &mut Vec<u8>) {
        Json::from(self).push(out);
    }
}

impl From<JsonObject> for Json {
    fn from(JsonObject(mut bytes): JsonObject) -> Self {
        bytes.push(b'}');
        Self(bytes)
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        let mut bytes = Vec::with_capacity(text.len().saturating_add(2));
        push_json_string(&mut bytes, text);
        Self(bytes)
    }
}

impl From<&String> for Json {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self(value.to_string().into_bytes())
    }
}

impl From<u8> for Json {
    fn from(number: u8) -> Self {
        i64::from(number).into()
    }
}

impl From<i64> for Json {
    fn from(number: i64) -> Self {
        Self(number.to_string().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_stand_in_the_order_of_their_writing() {
        let inner = JsonObject::new().put("b", 1_i64).put("a", true);
        let object = JsonObject::new()
            .put("z", "é\"\u{1}")
            .put_some("left out", None::<&str>)
            .put_any("left out", Vec::<Json>::new())
            .put("list", Json::list([Json::from(inner), Json::list(Vec::<&str>::new())]));
        let mut out = Vec::new();
        object.push(&mut out);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "{\"z\":\"é\\\"\\u0001\",\"list\":[{\"b\":1,\"a\":true},[]]}");
    }
}
