//! Objects of a document that get members.

use super::edits::Edits;
use super::node::{Member, Node};
use super::style::Style;
use super::value::{Json, quoted};

/// The reason why something cannot be inserted: the field, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unfit(pub(crate) String);

/// An object, its members, and those that it gets.
pub(crate) struct Object<'a> {
    node: Node<'a>,
    members: Vec<Member<'a>>,
    style: Style,
    /// The style of what the object stands in, where it has no members to show one.
    outer: Style,
    added: Vec<(&'static str, Json)>,
}

impl<'a> Object<'a> {
    /// The object that a node is; `key` names it in the error.
    pub(crate) fn new(node: Node<'a>, key: &str) -> Result<Self, Unfit> {
        Self::within(node, key, &Style::default())
    }

    fn within(node: Node<'a>, key: &str, outer: &Style) -> Result<Self, Unfit> {
        if !node.is_object() {
            return Err(unfit(key, &node, "an object"));
        }
        let members = node.members().ok_or_else(|| unfit(key, &node, "well-formed JSON"))?;
        let style = Style::of(&node, &members).unwrap_or_else(|| outer.within());
        Ok(Self { node, members, style, outer: outer.clone(), added: Vec::new() })
    }

    /// The value under a key; a key that stands there twice is none to add to.
    pub(crate) fn get(&self, key: &str) -> Result<Option<Node<'a>>, Unfit> {
        let mut found = self.members.iter().filter(|member| member.key.as_deref() == Some(key));
        let first = found.next();
        if found.next().is_some() {
            return Err(Unfit(format!("field {key} stands there twice; remove one of them")));
        }
        Ok(first.map(|member| member.value.clone()))
    }

    /// The keys.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.members.iter().filter_map(|member| member.key.as_deref())
    }

    /// The object under a key, if the value is one; null stands for none.
    pub(crate) fn object(&self, key: &str) -> Result<Option<Object<'a>>, Unfit> {
        match self.get(key)? {
            Some(value) if value.text() != "null" => Self::within(value, key, &self.style).map(Some),
            _ => Ok(None),
        }
    }

    /// Adds a member at the end, or in the place of null.
    pub(crate) fn put(&mut self, key: &'static str, value: Json, edits: &mut Edits) -> Result<(), Unfit> {
        match self.get(key)? {
            None => self.added.push((key, value)),
            Some(blank) if blank.text() == "null" => self.replace(&blank, &value, edits),
            Some(other) => return Err(unfit(key, &other, "nothing there, or null")),
        }
        Ok(())
    }

    /// Adds a member at the end, unless its key stands there.
    pub(crate) fn put_new(&mut self, key: &'static str, value: Json, edits: &mut Edits) -> Result<(), Unfit> {
        match self.get(key)? {
            Some(other) if other.text() != "null" => Ok(()),
            _ => self.put(key, value, edits),
        }
    }

    /// Adds a member, or puts its value in the place of null, an empty text or one of `blanks`.
    pub(crate) fn fill(
        &mut self,
        key: &'static str,
        value: Json,
        blanks: &[&str],
        edits: &mut Edits,
    ) -> Result<(), Unfit> {
        match self.get(key)? {
            Some(blank) if blank.text() == "\"\"" || blanks.contains(&blank.text()) => {
                self.replace(&blank, &value, edits);
                Ok(())
            }
            _ => self.put(key, value, edits),
        }
    }

    /// Puts a value in the place of a blank one.
    pub(crate) fn replace(&self, blank: &Node<'a>, value: &Json, edits: &mut Edits) {
        let mut text = String::new();
        value.write(&self.style, &mut text);
        edits.replace_blank(blank.at(), text);
    }

    /// Adds items to the list under a key, which is made where there is none.
    pub(crate) fn extend(
        &mut self,
        key: &'static str,
        items: Vec<Json>,
        edits: &mut Edits,
    ) -> Result<(), Unfit> {
        let Some(list) = self.get(key)?.filter(|list| list.text() != "null") else {
            return self.put(key, Json::List(items), edits);
        };
        let members = list.members().filter(|_| list.is_list()).ok_or_else(|| unfit(key, &list, "a list"))?;
        self.extend_list(&list, &members, &items, edits);
        Ok(())
    }

    /// Adds items to a list that is a member.
    pub(crate) fn extend_list(
        &self,
        list: &Node<'a>,
        members: &[Member<'a>],
        items: &[Json],
        edits: &mut Edits,
    ) {
        let style = Style::of(list, members).map(|style| style.colons_of(&self.style));
        let style = style.unwrap_or_else(|| self.style.within());
        let mut text = String::new();
        for (number, item) in items.iter().enumerate() {
            let is_first = number == 0 && members.is_empty();
            if !is_first {
                text.push(',');
            }
            style.write_start(is_first, &mut text);
            item.write(&style, &mut text);
        }
        match members.last() {
            Some(last) => edits.insert(last.value.at().end, text),
            None => {
                self.style.write_end(&mut text);
                edits.insert(list.at().start.saturating_add(1), text);
            }
        }
    }

    /// Ends the object: all that was added is inserted.
    pub(crate) fn finish(self, edits: &mut Edits) {
        if self.added.is_empty() {
            return;
        }
        let mut text = String::new();
        for (number, (key, value)) in self.added.iter().enumerate() {
            let is_first = number == 0 && self.members.is_empty();
            if !is_first {
                text.push(',');
            }
            self.style.write_start(is_first, &mut text);
            self.style.write_key(&quoted(key), &mut text);
            value.write(&self.style, &mut text);
        }
        match self.members.last() {
            Some(last) => edits.insert(last.value.at().end, text),
            None => {
                self.outer.write_end(&mut text);
                edits.insert(self.node.at().start.saturating_add(1), text);
            }
        }
    }
}

/// The reason that a value is which cannot be added to.
pub(crate) fn unfit(key: &str, value: &Node<'_>, expected: &str) -> Unfit {
    let beginning: String = value.text().chars().take(40).collect();
    Unfit(format!("field {key} is {beginning:?}; expected {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(
        document: &str,
        edit: impl Fn(&mut Object<'_>, &mut Edits) -> Result<(), Unfit>,
    ) -> Result<String, Unfit> {
        let mut edits = Edits::default();
        let mut object = Object::new(Node::new(document, 0..document.len()).unwrap(), "it")?;
        edit(&mut object, &mut edits)?;
        object.finish(&mut edits);
        let mut out = Vec::new();
        edits.apply(document.as_bytes(), &mut out);
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn what_is_added_looks_like_what_is_there() {
        let add = |object: &mut Object<'_>, edits: &mut Edits| {
            object.extend("c", vec![Json::Whole(1), Json::Whole(2)], edits)?;
            object.put_new("a", Json::Whole(9), edits)?;
            object.put("m", Json::Object(vec![("k", Json::text("v"))]), edits)
        };
        for (before, after) in [
            (r#"{"a":1}"#, r#"{"a":1,"c":[1,2],"m":{"k":"v"}}"#),
            (r#"{"a": 1, "b": 2}"#, r#"{"a": 1, "b": 2, "c": [1, 2], "m": {"k": "v"}}"#),
            (r#"{ "a" : 1 }"#, r#"{ "a" : 1, "c" : [1, 2], "m" : {"k" : "v"} }"#),
            (
                "{\r\n\t\"a\": 1\r\n}",
                "{\r\n\t\"a\": 1,\r\n\t\"c\": [\r\n\t\t1,\r\n\t\t2\r\n\t],\r\n\t\"m\": {\r\n\t\t\"k\": \"v\"\r\n\t}\r\n}",
            ),
            (r#"{"a":1,"c":[],"m":null}"#, r#"{"a":1,"c":[1,2],"m":{"k":"v"}}"#),
            (r#"{"a":1,"c":[ 0 ]}"#, r#"{"a":1,"c":[ 0,1,2 ],"m":{"k":"v"}}"#),
            (
                "{\n  \"a\": 1,\n  \"c\": [\n    0\n  ]\n}",
                "{\n  \"a\": 1,\n  \"c\": [\n    0,\n    1,\n    2\n  ],\n  \"m\": {\n    \"k\": \"v\"\n  }\n}",
            ),
        ] {
            assert_eq!(edited(before, add).unwrap(), after);
        }
    }

    #[test]
    fn an_empty_object_takes_the_style_around_it() {
        let document = "{\n  \"a\": {}\n}";
        let mut edits = Edits::default();
        let outer = Object::new(Node::new(document, 0..document.len()).unwrap(), "it").unwrap();
        let mut inner = outer.object("a").unwrap().unwrap();
        inner.put("k", Json::text("v"), &mut edits).unwrap();
        inner.finish(&mut edits);
        let mut out = Vec::new();
        edits.apply(document.as_bytes(), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "{\n  \"a\": {\n    \"k\": \"v\"\n  }\n}");
    }

    #[test]
    fn nothing_that_is_there_is_overwritten() {
        for (document, message) in [
            (r#"{"c":7}"#, "field c is \"7\"; expected a list"),
            (r#"{"c":{"a":[]}}"#, "field c is \"{\\\"a\\\":[]}\"; expected a list"),
            (r#"{"c":[],"c":[]}"#, "field c stands there twice; remove one of them"),
            ("[]", "field it is \"[]\"; expected an object"),
            ("{\"a\":", "field it is \"{\\\"a\\\":\"; expected well-formed JSON"),
        ] {
            let got = edited(document, |object, edits| object.extend("c", vec![Json::Whole(1)], edits));
            assert_eq!(got.unwrap_err().0, message);
        }
        let fill =
            |object: &mut Object<'_>, edits: &mut Edits| object.fill("c", Json::Whole(1), &["0"], edits);
        for (document, after) in
            [(r#"{"c":""}"#, r#"{"c":1}"#), (r#"{"c":0}"#, r#"{"c":1}"#), ("{}", r#"{"c":1}"#)]
        {
            assert_eq!(edited(document, fill).unwrap(), after);
        }
        assert!(edited(r#"{"c":2}"#, fill).is_err());
    }
}
