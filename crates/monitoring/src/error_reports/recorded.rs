//! What is found out of a request or a job while it runs, and recorded on its span: reports carry it as tags.

use std::fmt;

use tracing::{
    Subscriber,
    field::{Field, Visit},
    span::{Id, Record},
};
use tracing_subscriber::{Layer, layer::Context};

use super::capture::{tag, user};

/// The field that names a user.
const USER: &str = "user_id";

pub(super) struct RecordedLayer;

impl<S: Subscriber> Layer<S> for RecordedLayer {
    fn on_record(&self, _span: &Id, values: &Record<'_>, _context: Context<'_, S>) {
        values.record(&mut Tags);
    }
}

struct Tags;

impl Visit for Tags {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            USER => user(value),
            name => tag(name, value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}
