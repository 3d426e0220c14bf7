//! Writes XML that is well-formed by construction: every opened element is closed, every text is escaped.

/// A document that is written from start to end. Names of elements and attributes must be valid; texts may be anything.
pub(super) struct Xml {
    out: String,
}

/// An attribute: its name and its value.
pub(super) type Attribute<'a> = (&'a str, String);

impl Xml {
    /// A document with the XML declaration, and a document type where `doctype` is not empty.
    pub fn new(doctype: &str) -> Self {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        if !doctype.is_empty() {
            out += &format!("<!DOCTYPE {doctype}>\n");
        }
        Self { out }
    }

    /// An element around what `content` writes, each part on lines of its own.
    pub fn block(&mut self, name: &str, attributes: &[Attribute], content: impl FnOnce(&mut Self)) {
        self.start(name, attributes, ">\n");
        content(self);
        self.end(name);
        self.out.push('\n');
    }

    /// An element around what `content` writes, without any white space that is not part of it.
    pub fn inline(
        &mut self,
        name: &str,
        attributes: &[Attribute],
        content: impl FnOnce(&mut Self),
    ) {
        self.start(name, attributes, ">");
        content(self);
        self.end(name);
    }

    /// An element around a text, on a line of its own.
    pub fn line(&mut self, name: &str, attributes: &[Attribute], text: &str) {
        self.inline(name, attributes, |xml| xml.text(text));
        self.out.push('\n');
    }

    /// An element without content, on a line of its own.
    pub fn empty(&mut self, name: &str, attributes: &[Attribute]) {
        self.start(name, attributes, " />\n");
    }

    /// Text between elements.
    pub fn text(&mut self, text: &str) {
        escape(text, &mut self.out);
    }

    /// The document.
    pub fn finish(self) -> String {
        self.out
    }

    fn start(&mut self, name: &str, attributes: &[Attribute], end: &str) {
        self.out.push('<');
        self.out += name;
        for (name, value) in attributes {
            self.out.push(' ');
            self.out += name;
            self.out += "=\"";
            escape(value, &mut self.out);
            self.out.push('"');
        }
        self.out += end;
    }

    fn end(&mut self, name: &str) {
        self.out += "</";
        self.out += name;
        self.out.push('>');
    }
}

/// Escapes for texts and for values in double quotes alike. Characters that XML 1.0 can't hold at all
/// (section 2.2: most control characters, U+FFFE and U+FFFF) become the replacement character; white space that a parser would turn
/// into a blank is written by its number.
fn escape(text: &str, out: &mut String) {
    for letter in text.chars() {
        match letter {
            '&' => *out += "&amp;",
            '<' => *out += "&lt;",
            '>' => *out += "&gt;",
            '"' => *out += "&quot;",
            '\t' | '\n' | '\r' => *out += &format!("&#{};", u32::from(letter)),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push(char::REPLACEMENT_CHARACTER),
            letter => out.push(letter),
        }
    }
}
