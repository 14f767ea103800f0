//! Answers that are saved as files.

use actix_web::http::header::{ContentDisposition, DispositionParam, DispositionType};
use domain::clock::Timestamp;

/// The header of an answer that is saved as a file: what it holds, the day it is of, and its kind.
pub(super) fn attachment(what: &str, at: Timestamp, extension: &str) -> ContentDisposition {
    let name = format!("{what}-{}.{extension}", at.format("%Y-%m-%d"));
    ContentDisposition {
        disposition: DispositionType::Attachment,
        parameters: vec![DispositionParam::Filename(name)],
    }
}
