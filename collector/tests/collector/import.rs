use std::fs::OpenOptions;
use std::io::Write;

use collector::schedule::Outcome;
use jiff::SignedDuration;

use crate::desk::Desk;

fn json(number: usize, text: &str) -> String {
    format!(
        "{{\"id\": \"{number}\", \"user\": \"A{number}\", \"title\": \"第{number}件\", \
         \"time\": \"2017-06-08T17:31:20+08:00\", \"text\": \"{text}\", \"oppose\": 9, \"like\": 0}}\n"
    )
}

fn gb18030(text: &str) -> Vec<u8> {
    encoding_rs::GB18030.encode(text).0.into_owned()
}

fn append(path: &std::path::Path, bytes: &[u8]) {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    file.write_all(bytes).unwrap();
}

const CSV: &str = "[import]\nfile = \"hotline.csv\"\n\
    columns = { id = \"工单号\", title = \"标题\", text = \"内容\", time = \"来电时间\", author = \"来电人\" }";
const HEADER: &str = "工单号,标题,内容,来电时间,来电人\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_csv_in_gb18030_is_read_but_for_the_row_that_does_not_fit() {
    let desk = Desk::new().await;
    let text = format!(
        "{HEADER}1,停水,\"冯川镇停水，\n电话13812345612\",2023-07-18 08:30:00,张三丰\n\
         2,停电,内容,多了,一列,李四\n\
         3,路灯,㐂路的路灯坏了,2023年7月18日 09:30,\n\
         4,垃圾,没人管,不详,王五\n"
    );
    append(&desk.path("hotline.csv"), &gb18030(&text));
    assert_eq!(desk.read(CSV).await, Outcome::Read);
    let posts = desk.posts();
    assert_eq!(posts.len(), 2);
    assert_eq!(posts[0].text, "冯川镇停水，\n电话138******12");
    assert_eq!(posts[0].kind.name(), "import");
    assert_eq!((posts[1].title.as_str(), &posts[1].author), ("路灯", &None));
    assert_eq!(posts[1].text, "㐂路的路灯坏了");
    let health = desk.health().await;
    assert_eq!(health.refused, 2);
    let place = "hotline.csv:6: field `来电时间` tells no time";
    assert!(health.problem.contains(place), "{}", health.problem);
    assert!(!health.problem.contains("王五"));
}

#[tokio::test(flavor = "multi_thread")]
async fn exports_of_other_offices_are_read_as_they_come() {
    let row = "1,停水,冯川镇停水三天，没有人管,2023-07-18 08:30:00,张三丰\n";
    let text = format!("{HEADER}{row}");
    let utf_16: Vec<u8> = format!("\u{feff}{}", text.replace(',', "\t"))
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (name, bytes) in [
        ("semicolons", gb18030(&text.replace(',', ";"))),
        ("tabs", text.replace(',', "\t").into_bytes()),
        ("Unicode text of Excel", utf_16),
        ("commas", text.clone().into_bytes()),
    ] {
        let desk = Desk::new().await;
        append(&desk.path("hotline.CSV"), &bytes);
        let source = CSV.replace("hotline.csv", "*.csv");
        let outcome = desk.read(&source).await;
        let problem = desk.health().await.problem;
        assert_eq!(outcome, Outcome::Read, "{name}: {problem}");
        let posts = desk.posts();
        assert_eq!(posts.len(), 1, "{name}");
        assert_eq!(posts[0].title, "停水", "{name}");
        assert_eq!(posts[0].text, "冯川镇停水三天，没有人管", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_as_it_was_is_not_opened_again() {
    let desk = Desk::new().await;
    let path = desk.path("hotline.csv");
    append(
        &path,
        format!("{HEADER}1,停水,内容,2023-07-18,\n").as_bytes(),
    );
    assert_eq!(desk.read(CSV).await, Outcome::Read);
    let before = std::fs::metadata(&path).unwrap();
    // No export at all, were it looked into.
    std::fs::write(&path, "?".repeat(before.len().try_into().unwrap())).unwrap();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(before.modified().unwrap()).unwrap();
    assert_eq!(desk.read(CSV).await, Outcome::Read);
    append(&path, b"?");
    assert_eq!(desk.read(CSV).await, Outcome::Failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_grows_is_read_on_and_one_that_does_not_is_left() {
    let desk = Desk::new().await;
    let (path, source) = (desk.path("posts.jsonl"), "[import]\nfile = \"posts.jsonl\"");
    append(&path, json(1, "一").as_bytes());
    desk.read(source).await;
    let first = desk.posts();
    assert_eq!(first.len(), 1);
    assert_eq!(
        (first[0].reactions.opposes, first[0].reactions.likes),
        (9, 0)
    );
    desk.read(source).await;
    append(&path, json(2, "二").as_bytes());
    desk.read(source).await;
    assert_eq!(desk.titles(), ["第2件"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_half_written_is_read_again_when_it_is_whole() {
    let desk = Desk::new().await;
    let (path, source) = (desk.path("posts.jsonl"), "[import]\nfile = \"posts.jsonl\"");
    let row = json(2, "二");
    let cut = row.len() - 20;
    append(&path, json(1, "一").as_bytes());
    append(&path, &row.as_bytes()[..cut]);
    desk.read(source).await;
    assert_eq!(desk.titles(), ["第1件"]);
    append(&path, &row.as_bytes()[cut..]);
    desk.read(source).await;
    assert_eq!(desk.titles(), ["第2件"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_broken_off_goes_on_behind_the_last_row_acknowledged() {
    let desk = Desk::new().await;
    let rows: String = (1..=450).map(|number| json(number, "一样")).collect();
    append(&desk.path("posts.jsonl"), rows.as_bytes());
    let source = "[import]\nfile = \"posts.jsonl\"";
    desk.take_batches(Some(1));
    assert_eq!(desk.read(source).await, Outcome::NotTaken);
    let before = desk.posts();
    assert_eq!(before.len(), 200);
    desk.take_batches(None);
    assert_eq!(desk.read(source).await, Outcome::Read);
    let after = desk.posts();
    assert_eq!(after.len(), 250);
    assert_eq!(after[0].title, "第201件");
    assert_eq!(desk.health().await.posts, 450);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_is_sent_again_keeps_the_time_that_was_worked_out_first() {
    let desk = Desk::new().await;
    let row = "{\"id\": \"1\", \"title\": \"题\", \"text\": \"文\", \"time\": \"5分钟前\"}\n";
    append(&desk.path("posts.jsonl"), row.as_bytes());
    let source = "[import]\nfile = \"posts.jsonl\"";
    desk.take_batches(Some(0));
    assert_eq!(desk.read(source).await, Outcome::NotTaken);
    desk.wait(SignedDuration::from_mins(3));
    desk.take_batches(None);
    assert_eq!(desk.read(source).await, Outcome::Read);
    let posts = desk.posts();
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].revision, 1);
    // Five minutes before it was first seen.
    assert_eq!(posts[0].published_at.to_string(), "2023-07-19T03:55:00Z");
    assert_eq!(desk.read(source).await, Outcome::Read);
    assert!(desk.posts().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_put_in_the_place_of_another_is_read_from_its_beginning() {
    let desk = Desk::new().await;
    let path = desk.path("hotline.csv");
    let row = |number: u32| format!("{number},标题{number},内容,2023-07-18,\n");
    std::fs::write(&path, format!("{HEADER}{}", row(1))).unwrap();
    desk.read(CSV).await;
    assert_eq!(desk.titles(), ["标题1"]);
    std::fs::write(&path, format!("{HEADER}{}{}", row(2), row(3))).unwrap();
    desk.read(CSV).await;
    assert_eq!(desk.titles(), ["标题2", "标题3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_corrected_further_down_is_a_revision() {
    let desk = Desk::new().await;
    let rows = json(1, "旧") + &json(1, "新");
    append(&desk.path("posts.jsonl"), rows.as_bytes());
    desk.read("[import]\nfile = \"posts.jsonl\"").await;
    let seen: Vec<(u32, String)> = desk
        .posts()
        .into_iter()
        .map(|post| (post.revision, post.text))
        .collect();
    assert_eq!(seen, [(1, "旧".to_owned()), (2, "新".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_was_changed_keeps_the_time_it_was_published() {
    let desk = Desk::new().await;
    let source = "[import]\nfile = \"posts.jsonl\"";
    let at = |time: &str, text: &str| {
        format!(
            "{{\"id\": \"1\", \"title\": \"题\", \"text\": \"{text}\", \"time\": \"{time}\"}}\n"
        )
    };
    append(
        &desk.path("posts.jsonl"),
        at("2023-07-18 10:00:00", "旧").as_bytes(),
    );
    desk.read(source).await;
    append(
        &desk.path("posts.jsonl"),
        at("2023-08-02 09:00:00", "新").as_bytes(),
    );
    desk.read(source).await;
    let posts = desk.posts();
    let seen: Vec<(u32, &str)> = posts
        .iter()
        .map(|post| (post.revision, post.text.as_str()))
        .collect();
    assert_eq!(seen, [(1, "旧"), (2, "新")]);
    assert_eq!(posts[0].published_at, posts[1].published_at);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_files_of_a_folder_are_read_and_one_at_fault_is_named() {
    let desk = Desk::new().await;
    std::fs::create_dir(desk.path("exports")).unwrap();
    append(&desk.path("exports/a.csv"), "号,题\n1,一\n".as_bytes());
    append(&desk.path("exports/b.jsonl"), json(1, "一").as_bytes());
    append(&desk.path("exports/c.txt"), b"not an export");
    assert_eq!(
        desk.read("[import]\nfile = \"exports\"").await,
        Outcome::Failed
    );
    let problem = desk.health().await.problem;
    let expected = "a.csv:1: the header has no column `id`; set `import.columns.id`";
    assert!(problem.contains(expected), "{problem}");
    assert_eq!(desk.titles(), ["第1件"]);
    assert_eq!(
        desk.read("[import]\nfile = \"exports/*.jsonl\"").await,
        Outcome::Read
    );
}

const XLSX: &str = "[import]\nfile = \"hotline.xlsx\"\n\
    columns = { id = \"工单号\", title = \"标题\", text = \"内容\", time = \"来电时间\", author = \"来电人\" }";

#[tokio::test(flavor = "multi_thread")]
async fn a_workbook_is_read_row_by_row_with_its_own_dates_and_numbers() {
    let desk = Desk::new().await;
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    for (column, name) in (0..).zip(["工单号", "标题", "内容", "来电时间", "来电人"])
    {
        sheet.write(0, column, name).unwrap();
    }
    let day = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd hh:mm");
    // 45125.354166… days after 1899-12-30 is 2023-07-18 08:30.
    sheet.write(1, 0, 202_307_180_001_f64).unwrap();
    sheet.write(1, 1, "停水").unwrap();
    sheet.write(1, 2, "冯川镇停水，\n电话13812345612").unwrap();
    sheet
        .write_with_format(1, 3, 45_125.0 + 8.5 / 24.0, &day)
        .unwrap();
    sheet.write(3, 0, "2").unwrap();
    sheet.write(3, 2, "没有时间").unwrap();
    sheet.write(4, 0, "3").unwrap();
    sheet.write(4, 2, "路灯坏了").unwrap();
    sheet.write(4, 3, "2023年7月18日 09:30").unwrap();
    workbook.save(desk.path("hotline.xlsx")).unwrap();
    assert_eq!(desk.read(XLSX).await, Outcome::Read);
    let posts = desk.posts();
    assert_eq!(posts.len(), 2);
    assert_eq!(posts[0].text, "冯川镇停水，\n电话138******12");
    assert_eq!(
        posts[0].published_at,
        "2023-07-18T00:30:00Z".parse().unwrap()
    );
    let health = desk.health().await;
    let place = "hotline.xlsx:4: field `来电时间` tells no time";
    assert!(health.problem.contains(place), "{}", health.problem);
    assert_eq!(desk.read(XLSX).await, Outcome::Read);
    assert_eq!(desk.posts(), [], "it has not changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workbook_that_is_none_or_swells_is_refused() {
    let desk = Desk::new().await;
    append(&desk.path("hotline.xlsx"), b"PK\x03\x04 no workbook");
    assert_eq!(desk.read(XLSX).await, Outcome::Failed);
    let problem = desk.health().await.problem;
    assert!(
        problem.contains("hotline.xlsx: is no Excel workbook"),
        "{problem}"
    );

    let file = std::fs::File::create(desk.path("hotline.xlsx")).unwrap();
    let mut parts = zip::ZipWriter::new(file);
    let zeros = vec![0; 1024 * 1024];
    let options = zip::write::SimpleFileOptions::default();
    parts.start_file("xl/workbook.xml", options).unwrap();
    for _ in 0..300 {
        parts.write_all(&zeros).unwrap();
    }
    parts.finish().unwrap();
    assert!(std::fs::metadata(desk.path("hotline.xlsx")).unwrap().len() < 1_000_000);
    assert_eq!(desk.read(XLSX).await, Outcome::Failed);
    let problem = desk.health().await.problem;
    assert!(problem.contains("unpacks to more than"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workbook_whose_header_is_not_its_first_row_and_whose_cells_are_far_apart_is_read() {
    let desk = Desk::new().await;
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    // As exports begin: with a title, and when they were made.
    sheet.write(0, 0, "热线工单一览表").unwrap();
    sheet.write(1, 3, "2023-07-19 12:00").unwrap();
    for (column, name) in (0..).zip(["工单号", "标题", "内容", "来电时间", "来电人"])
    {
        sheet.write(3, column, name).unwrap();
    }
    sheet.write(1_048_575, 0, "1").unwrap();
    sheet.write(1_048_575, 2, "路灯坏了").unwrap();
    sheet.write(1_048_575, 3, "2023-07-18 08:30").unwrap();
    sheet.write(1_048_575, 16_383, "x").unwrap();
    workbook.save(desk.path("hotline.xlsx")).unwrap();
    assert_eq!(desk.read(XLSX).await, Outcome::Read);
    assert_eq!(desk.posts().len(), 1);
}
