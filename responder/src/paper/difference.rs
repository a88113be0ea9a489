//! How one wording differs from another, line by line.

/// Most pairs of lines that are compared; beyond that all that differs is told as taken out and put in.
const MOST_PAIRS: usize = 4_000_000;

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is in both.
    Kept,
    /// Only the first has it.
    Removed,
    /// Only the second has it.
    Added,
}

/// The lines of two texts in one order, with what became of each. Empty lines are left out.
#[must_use]
pub fn lines<'a>(before: &'a str, after: &'a str) -> Vec<(Fate, &'a str)> {
    let read = |text: &'a str| -> Vec<&'a str> {
        let lines = text.lines().map(str::trim_end);
        lines.filter(|line| !line.is_empty()).collect()
    };
    let (old, new) = (read(before), read(after));
    let alike = |(one, other): &(&&str, &&str)| one == other;
    let head = old.iter().zip(&new).take_while(alike).count();
    let rest = |lines: &[&'a str]| -> Vec<&'a str> { lines.iter().skip(head).copied().collect() };
    let (mut old_rest, mut new_rest) = (rest(&old), rest(&new));
    let mut tail = Vec::new();
    while let (Some(one), Some(other)) = (old_rest.last(), new_rest.last())
        && one == other
    {
        tail.extend(old_rest.pop());
        new_rest.pop();
    }
    let kept = |line: &&'a str| (Fate::Kept, *line);
    let mut told: Vec<_> = old.iter().take(head).map(kept).collect();
    told.extend(between(&old_rest, &new_rest));
    told.extend(tail.iter().rev().map(kept));
    told
}

/// The middle, where the texts differ: by the longest run of lines, in order, that both have.
fn between<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(Fate, &'a str)> {
    let removed = |line: &&'a str| (Fate::Removed, *line);
    let added = |line: &&'a str| (Fate::Added, *line);
    if old.len().saturating_mul(new.len()) > MOST_PAIRS {
        return (old.iter().map(removed))
            .chain(new.iter().map(added))
            .collect();
    }
    // common[i][j]: how many lines old from i and new from j have in common.
    let mut common = vec![vec![0_u32; new.len() + 1]; old.len() + 1];
    let at = |common: &[Vec<u32>], i: usize, j: usize| -> u32 {
        common
            .get(i)
            .and_then(|row| row.get(j))
            .copied()
            .unwrap_or(0)
    };
    for (i, one) in old.iter().enumerate().rev() {
        for (j, other) in new.iter().enumerate().rev() {
            let best = if one == other {
                at(&common, i + 1, j + 1) + 1
            } else {
                at(&common, i + 1, j).max(at(&common, i, j + 1))
            };
            if let Some(cell) = common.get_mut(i).and_then(|row| row.get_mut(j)) {
                *cell = best;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut told = Vec::new();
    loop {
        match (old.get(i), new.get(j)) {
            (Some(one), Some(other)) if one == other => {
                told.push((Fate::Kept, *one));
                (i, j) = (i + 1, j + 1);
            }
            (Some(one), other)
                if other.is_none() || at(&common, i + 1, j) >= at(&common, i, j + 1) =>
            {
                told.push((Fate::Removed, *one));
                i += 1;
            }
            (_, Some(other)) => {
                told.push((Fate::Added, *other));
                j += 1;
            }
            (_, None) => return told,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(before: &str, after: &str) -> String {
        let sign = |fate| match fate {
            Fate::Kept => '=',
            Fate::Removed => '-',
            Fate::Added => '+',
        };
        let lines = lines(before, after).into_iter();
        lines
            .map(|(fate, line)| format!("{}{line}", sign(fate)))
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn what_was_taken_out_and_put_in_is_told_in_order() {
        assert_eq!(told("a\n\nb\nc\n", "a\nb\nc"), "=a =b =c");
        assert_eq!(told("a\nb\nc", "a\nx\nc"), "=a -b +x =c");
        assert_eq!(told("a\nb\nc\nd", "b\nd\ne"), "-a =b -c =d +e");
        assert_eq!(told("", "a"), "+a");
        assert_eq!(told("a", ""), "-a");
        assert_eq!(told("a\na\na", "a\na"), "=a =a -a");
    }
}
