//! Makes tables fit a terminal: texts are cut where that is enough, figures never.

use console::Term;

/// Between two columns.
const GAP: usize = 2;

/// No column of texts becomes narrower than that.
const LEAST: usize = 20;

/// How many characters a line of the terminal has; none if output goes elsewhere, which gets all.
pub(crate) fn terminal() -> Option<usize> {
    let (_, columns) = Term::stdout().size_checked()?;
    Some(usize::from(columns))
}

/// Makes columns narrower until a line has `room`: first the last one if it may be cut, which is often
/// a list, then the widest of the others. Whatever is too wide even then is left to the terminal.
pub(crate) fn fit(widths: &mut [usize], may_cut: &[bool], room: usize) {
    let gaps = GAP * widths.len().saturating_sub(1);
    let mut over = (widths.iter().sum::<usize>() + gaps).saturating_sub(room);
    if let (Some(last), Some(true)) = (widths.last_mut(), may_cut.last()) {
        let given = last.saturating_sub(LEAST).min(over);
        (*last, over) = (*last - given, over - given);
    }
    while over > 0 {
        let cut = (0..widths.len()).filter(|&at| may_cut[at] && widths[at] > LEAST);
        let Some(widest) = cut.max_by_key(|&at| widths[at]) else { return };
        (widths[widest], over) = (widths[widest] - 1, over - 1);
    }
}

/// A text of at most `width` characters: what is left out is in the middle, because the ends of names
/// tell them apart, or at the end where texts are lists.
pub(crate) fn cut(text: &str, width: usize, at_end: bool) -> String {
    let len = text.chars().count();
    if len <= width {
        return text.to_owned();
    }
    let kept = width.saturating_sub(1);
    let tail = if at_end { 0 } else { kept / 2 };
    let head = text.chars().take(kept - tail);
    head.chain(['…']).chain(text.chars().skip(len - tail)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_give_way_first_and_then_the_widest() {
        let may_cut = [true, false, true];
        let fitted = |widths: [usize; 3], room| {
            let mut widths = widths;
            fit(&mut widths, &may_cut, room);
            widths
        };
        assert_eq!(fitted([30, 10, 20], 64), [30, 10, 20]);
        assert_eq!(fitted([30, 10, 40], 60), [26, 10, 20]);
        assert_eq!(fitted([40, 10, 30], 60), [26, 10, 20]);
        let mut names = [30, 40, 30];
        fit(&mut names, &[true, true, false], 80);
        assert_eq!(names, [23, 23, 30]);
        // Figures stay, and nothing becomes unreadable.
        assert_eq!(fitted([30, 40, 12], 40), [20, 40, 12]);
        assert_eq!(fitted([5, 5, 5], 1), [5, 5, 5]);
    }

    #[test]
    fn both_ends_of_a_name_are_kept() {
        assert_eq!(cut("net/http.(*conn).serve", 30, false), "net/http.(*conn).serve");
        assert_eq!(cut("net/http.(*conn).serve", 11, false), "net/h…serve");
        assert_eq!(cut("sleep 3 s, select 2 s", 10, true), "sleep 3 s…");
        assert_eq!(cut("größer", 4, true), "grö…");
        assert_eq!(cut("abc", 0, false), "…");
    }
}
