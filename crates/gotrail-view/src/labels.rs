//! Texts by number: functions, reasons, names of tasks and regions.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

/// No text.
pub const NO_LABEL: u32 = u32::MAX;

/// Texts, each with the number under which it was first seen.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Labels {
    all: Vec<Box<str>>,
    #[serde(skip)]
    numbers: FxHashMap<Box<str>, u32>,
}

impl Labels {
    /// The number of a text, which may be new.
    pub fn number(&mut self, text: &[u8]) -> u32 {
        let text = String::from_utf8_lossy(text);
        if let Some(&number) = self.numbers.get(&*text) {
            return number;
        }
        let number = self.all.len() as u32;
        self.all.push(text.as_ref().into());
        self.numbers.insert(text.into(), number);
        number
    }

    /// Makes the way back from texts to numbers anew.
    pub(crate) fn find_numbers(&mut self) {
        let all = self.all.iter().enumerate();
        self.numbers = all.map(|(number, text)| (text.clone(), number as u32)).collect();
    }

    /// About how many bytes they take in memory: each text is there twice.
    pub(crate) fn bytes(&self) -> usize {
        self.all.iter().map(|text| 2 * text.len() + 72).sum()
    }

    /// The text with this number; empty if there is none.
    pub fn text(&self, number: u32) -> &str {
        self.all.get(number as usize).map_or("", |text| text)
    }

    /// All texts from a number on.
    pub fn since(&self, number: u32) -> &[Box<str>] {
        self.all.get(number as usize..).unwrap_or(&[])
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}
