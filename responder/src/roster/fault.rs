//! What can be wrong with a row of a roster, said to whoever brings it in: in English on the command line, in Chinese on the page.

use std::fmt;

use super::Post;

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The header lacks the column; these it needs.
    Column([&'static str; 4]),
    /// There is no row below the header.
    Nothing,
    /// This is no post.
    Post(String),
    /// Nobody is named.
    Nobody,
    /// The name is longer than so many characters.
    LongName(usize),
    /// The person of this name is no contact of the duty office.
    Unknown(String),
    /// This is no day and time.
    Time(String),
    /// It ends before it begins.
    Backwards,
    /// It is longer than a month.
    Endless,
    /// The person has this post at that time by another row already.
    Twice(u64),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(needed) => write!(
                f,
                "the header has no such column; its first row must name {}",
                needed.join(", ")
            ),
            Self::Nothing => write!(f, "there is no shift below the header; add a row for each"),
            Self::Post(post) => write!(
                f,
                "`{post}` is no post; write {}",
                Post::ALL.map(Post::title).join(", ")
            ),
            Self::Nobody => write!(f, "no one is named; write who has the shift"),
            Self::LongName(most) => write!(
                f,
                "a name has at most {most} characters; write one person a row"
            ),
            Self::Unknown(who) => write!(
                f,
                "`{who}` is no contact of the duty office; add a [[unit.contact]] of that name to units.toml or correct the name"
            ),
            Self::Time(text) => write!(
                f,
                "`{text}` is no day and time; write such as 2026-10-01 08:30"
            ),
            Self::Backwards => write!(
                f,
                "the shift ends before it begins; a night's shift ends on the next day"
            ),
            Self::Endless => write!(f, "the shift is longer than 31 days; correct the date"),
            Self::Twice(row) => write!(
                f,
                "has this post at that time by row {row} already; remove one or correct the time"
            ),
        }
    }
}

impl Fault {
    /// The same in the duty team's words.
    #[must_use]
    pub fn told(&self) -> String {
        match self {
            Self::Column(needed) => format!("表头没有这一列，第一行须写明：{}", needed.join("、")),
            Self::Nothing => "表头下面没有班次，请一行写一个班次".to_owned(),
            Self::Post(post) => format!(
                "“{post}”不是岗位，请写{}",
                Post::ALL.map(Post::title).join("、")
            ),
            Self::Nobody => "没有写姓名".to_owned(),
            Self::LongName(most) => format!("姓名最多{most}个字，请一行写一个人"),
            Self::Unknown(who) => {
                format!("“{who}”不是值班室的联系人，请更正姓名，或先在单位文件中添加该联系人")
            }
            Self::Time(text) => format!("“{text}”不是日期和时间，请按“2026-10-01 08:30”的格式填写"),
            Self::Backwards => "结束早于开始；夜班的结束时间在第二天".to_owned(),
            Self::Endless => "一个班次超过31天，请核对日期".to_owned(),
            Self::Twice(row) => {
                format!("与第{row}行是同一人、同一岗位，时间重叠，请删去一行或更正时间")
            }
        }
    }
}

/// Why a file cannot be read as a roster at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// The system does not give it.
    Unopened(String),
    /// It has more bytes than a roster has.
    Large {
        /// How many it has.
        bytes: u64,
        /// How many it may have.
        most: u64,
    },
    /// It is neither a table of text nor a workbook.
    Kind,
    /// It is not in UTF-8.
    Encoding,
    /// Its quotes do not fit.
    Damaged(String),
    /// It is no workbook.
    Workbook,
    /// It is a workbook without a sheet.
    Empty,
    /// It has more rows than this.
    Rows(usize),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unopened(why) => write!(f, "cannot be read: {why}"),
            Self::Large { bytes, most } => {
                write!(f, "has {bytes} bytes, more than {most}; is it a roster?")
            }
            Self::Kind => write!(f, "is neither .csv nor .xlsx; save it as one of them"),
            Self::Encoding => write!(
                f,
                "is not in UTF-8; save it as “CSV UTF-8”, or as an Excel workbook (.xlsx)"
            ),
            Self::Damaged(why) => write!(f, "is damaged: {why}"),
            Self::Workbook => write!(f, "is no Excel workbook of the kind .xlsx; save it as such"),
            Self::Empty => write!(f, "has no sheet"),
            Self::Rows(most) => write!(f, "has more than {most} rows; is it a roster?"),
        }
    }
}

impl Unreadable {
    /// The same in the duty team's words.
    #[must_use]
    pub fn told(&self) -> &'static str {
        match self {
            Self::Unopened(_) => "文件打不开",
            Self::Large { .. } => "文件超过4MB，请核对是否是值班表",
            Self::Kind => "文件不是 .csv 或 .xlsx，请另存为其中一种",
            Self::Encoding => "文件不是UTF-8编码，请另存为“CSV UTF-8”或Excel工作簿（.xlsx）",
            Self::Damaged(_) => "文件已损坏，请重新导出",
            Self::Workbook => "文件不是 .xlsx 格式的Excel工作簿，请另存为该格式",
            Self::Empty => "工作簿里没有工作表",
            Self::Rows(_) => "行数过多，请核对是否是值班表",
        }
    }
}
