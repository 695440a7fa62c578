//! Prints tokens the way a person writes them.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// Returns the text of a parameter or type, such as `nats: async_nats::Client`. The tokens' own `Display` would write
/// `async_nats :: Client` once they have been parsed.
pub(crate) fn compact(tokens: TokenStream) -> String {
    let mut printer = Printer::default();
    printer.stream(tokens);
    printer.text
}

#[derive(Default)]
struct Printer {
    text: String,
    /// Whether the last token was a word, so that a further word needs a space.
    after_word: bool,
}

impl Printer {
    fn stream(&mut self, tokens: TokenStream) {
        let mut trees = tokens.into_iter().peekable();
        let mut previous_joint = None;
        while let Some(tree) = trees.next() {
            match tree {
                TokenTree::Group(group) => self.group(&group),
                TokenTree::Punct(punct) => {
                    let joint = (punct.spacing() == Spacing::Joint).then(|| punct.as_char());
                    self.punct(punct.as_char(), previous_joint, joint.is_some(), trees.peek().is_none());
                    previous_joint = joint;
                    continue;
                }
                word => self.word(&word.to_string()),
            }
            previous_joint = None;
        }
    }

    fn word(&mut self, word: &str) {
        if self.after_word {
            self.text.push(' ');
        }
        self.text.push_str(word);
        self.after_word = true;
    }

    fn punct(&mut self, punct: char, previous_joint: Option<char>, joint: bool, last: bool) {
        let arrow = punct == '>' && previous_joint == Some('-');
        let path = punct == ':' && (joint || previous_joint == Some(':'));
        let spaced_before = matches!(punct, '+' | '=') || (punct == '-' && joint);
        if spaced_before && !self.text.ends_with(' ') {
            self.text.push(' ');
        }
        self.text.push(punct);
        let spaced_after = matches!(punct, ',' | ';' | '+' | '=') || arrow || (punct == ':' && !path);
        if spaced_after && !last {
            self.text.push(' ');
        }
        self.after_word = false;
    }

    fn group(&mut self, group: &proc_macro2::Group) {
        let (open, close) = match group.delimiter() {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::None => ("", ""),
        };
        if !open.is_empty() {
            self.text.push_str(open);
            self.after_word = false;
        }
        self.stream(group.stream());
        self.text.push_str(close);
        if !close.is_empty() {
            self.after_word = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_reads_as_it_was_written() {
        for written in [
            "nats: ExternalNats",
            "mut nats: isolated_nats::ExternalNats",
            "_: Vec<Option<u8>>",
            "(a, b): (A, B)",
            "Pair { a, b }: Pair".replace(" { ", "{").replace(" }", "}").as_str(),
            "f: fn(u8, u16) -> u32",
            "b: Box<dyn Fn(u8) -> u8 + Send>",
            "a: [u8; 4]",
            "s: &'static str",
            "m: &'static mut T",
            "i: <A as B<Item = C>>::D",
            "c: ::async_nats::Client",
        ] {
            let tokens: TokenStream = written.parse().unwrap();

            assert_eq!(compact(tokens), written);
        }
    }
}
