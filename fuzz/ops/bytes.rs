//! Bytes read as a script: what every interpreter decides, it decides by the next byte.

/// A script. When its bytes are used up every answer is 0, so that any prefix of a script is one too.
#[derive(Clone, Debug)]
pub struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::from(self.byte()) % limit
    }

    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// The next `len` bytes, or what is left, as a script of their own.
    pub fn take(&mut self, len: usize) -> Bytes<'a> {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        Self(taken)
    }

    pub fn to_vec(&self) -> Vec<u8> {
        self.0.to_vec()
    }
}
