//! Just enough of a JSON reader to say whether a text is JSON.

/// Whether `text` is one JSON value; else where it is not.
pub fn check(text: &str) -> Result<(), usize> {
    let mut reader = Reader { text: text.as_bytes(), at: 0 };
    reader.value()?;
    if reader.at == text.len() { Ok(()) } else { Err(reader.at) }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    fn eat(&mut self, byte: u8) -> Result<(), usize> {
        if self.peek() != byte {
            return Err(self.at);
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self) -> Result<(), usize> {
        match self.peek() {
            b'{' => self.list(b'}', |r| {
                r.string()?;
                r.eat(b':')?;
                r.value()
            }),
            b'[' => self.list(b']', Self::value),
            b'"' => self.string(),
            b't' => b"true".iter().try_for_each(|b| self.eat(*b)),
            b'0'..=b'9' => {
                while self.peek().is_ascii_digit() {
                    self.at += 1;
                }
                Ok(())
            }
            _ => Err(self.at),
        }
    }

    fn list(&mut self, end: u8, item: impl Fn(&mut Self) -> Result<(), usize>) -> Result<(), usize> {
        self.at += 1;
        if self.peek() == end {
            return self.eat(end);
        }
        loop {
            item(self)?;
            if self.peek() == end {
                return self.eat(end);
            }
            self.eat(b',')?;
        }
    }

    fn string(&mut self) -> Result<(), usize> {
        self.eat(b'"')?;
        loop {
            match self.peek() {
                b'"' => return self.eat(b'"'),
                0..0x20 => return Err(self.at),
                b'\\' => {
                    self.at += 1;
                    match self.peek() {
                        b'"' | b'\\' | b'n' => self.at += 1,
                        b'u' if self.text[self.at + 1..].iter().take(4).all(u8::is_ascii_hexdigit) => self.at += 5,
                        _ => return Err(self.at),
                    }
                }
                _ => self.at += 1,
            }
        }
    }
}

#[test]
fn what_is_no_json_is_refused() {
    // A checker that lets everything pass.
    for good in ["{}", "[]", r#"{"a":[1,22,{"b":"\u0001\n\"x"}],"c":true}"#] {
        assert_eq!(check(good), Ok(()), "{good}");
    }
    for bad in ["", "{", "[1,]", r#"{"a"}"#, "\"\n\"", r#""\x""#, "[1]]", r#"{"a":1,,"b":2}"#, r#""a"#] {
        assert!(check(bad).is_err(), "{bad}");
    }
}
