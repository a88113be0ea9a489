//! Real texts to measure with: the posts of the board and the complaints of the project's shared data, or the sample
//! county's posts where those are not there.

use wensheng_tests::load::board_texts;
use wensheng_tests::shared_data;

/// Titles and texts.
pub(crate) fn all() -> Vec<(String, String)> {
    let mut texts = board_texts();
    if let Some(folder) = shared_data() {
        let complaints = std::fs::read_to_string(folder.join("complaints_subject.tsv")).unwrap();
        texts.extend(complaints.lines().skip(1).filter_map(|line| {
            line.split_once('\t')
                .map(|(_, text)| (String::new(), text.to_owned()))
        }));
    }
    texts
}
