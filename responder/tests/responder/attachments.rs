//! Files on the page of a case: added by who works on it, given back to who may see it, and refused where they are not what
//! they say.

use crate::served::office;
use crate::stores::{Kept, on_each_store};

on_each_store!(a_file_is_added_on_the_page_and_given_back_to_who_may_see_the_case);

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n0000";

async fn a_file_is_added_on_the_page_and_given_back_to_who_may_see_the_case(kept: Kept) {
    let office = office(kept).await;
    let case = office.case("路灯", "zhujian").await;
    office.dispatch(&case).await;
    let path = format!("/cases/{case}/attachments");
    let mut officer = office.person("officer").await;

    let csrf = std::mem::replace(&mut officer.csrf, "guessed".to_owned());
    let forged = officer.upload(&path, &[], ("现场.png", PNG)).await;
    assert_eq!(forged.status, 403);
    officer.csrf = csrf;
    let page = b"<script>alert(1)</script>";
    let refused = officer.upload(&path, &[], ("现场.png", page)).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("文件类型不符"), "{}", refused.text);
    let large = vec![0; responder::case::LARGEST + 1];
    let refused = officer.upload(&path, &[], ("现场.png", &large)).await;
    assert_eq!(refused.status, 422);
    let added = officer.upload(&path, &[], ("现场.png", PNG)).await;
    assert_eq!(added.status, 303, "{}", added.text);

    let page = officer.get(&format!("/cases/{case}")).await.text;
    let link = (page
        .split('"')
        .find(|part| part.starts_with(&path) && part.len() > path.len()))
    .unwrap()
    .to_owned();
    assert!(page.contains("现场.png"));
    let file = officer.get(&link).await;
    assert_eq!(file.status, 200);
    assert_eq!(
        file.headers["content-type"], "image/png",
        "not what the form said"
    );
    let disposition = file.headers["content-disposition"].to_str().unwrap();
    assert!(disposition.starts_with("attachment"), "{disposition}");

    for stranger in ["health", "nobody"] {
        let mut stranger = match stranger {
            "nobody" => office.nobody(),
            name => office.person(name).await,
        };
        let answer = stranger.get(&link).await;
        assert!([303, 404].contains(&answer.status), "{}", answer.status);
    }
}
