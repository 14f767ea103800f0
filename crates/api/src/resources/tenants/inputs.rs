//! What can be changed of a company.

use app::TenantChange;
use domain::calendar::Zone;
use serde::{Deserialize, Deserializer, de};
use utoipa::ToSchema;

use crate::extract::{Number, Object, Text, given, given_or_null};

/// Settings to change; what is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TenantChange)]
pub(super) struct TenantInput {
    /// The company's name.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 200, example = "Anna's Shop")]
    name: Option<Text<1, 200>>,
    /// IANA name of a zone.
    #[serde(default, deserialize_with = "zone")]
    #[schema(value_type = Option<String>, nullable = false, example = "Europe/Moscow")]
    time_zone: Option<Zone>,
    /// Language of messages.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    locale: Option<Locale>,
    /// When a product counts as low.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<LowStockInput>, nullable = false)]
    low_stock: Option<Object<LowStockInput>>,
    /// Minutes between two syncs of an account.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i32>, nullable = false, minimum = 15, maximum = 1440, example = 30)]
    sync_interval_minutes: Option<Number<15, 1440>>,
}

/// When a product counts as low; what is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LowStockChange)]
struct LowStockInput {
    /// Units below which a product is low.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>, nullable = false, minimum = 0, maximum = 1_000_000, example = 10)]
    units: Option<Number<0, 1_000_000>>,
    /// Days of cover below which a product is low; null switches the rule off.
    #[serde(default, deserialize_with = "given_or_null")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1_000_000, example = 7)]
    #[expect(clippy::option_option, reason = "left out and null are different wishes")]
    days_of_cover: Option<Option<Number<1, 1_000_000>>>,
}

/// A language.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Locale {
    /// English.
    En,
    /// Russian.
    Ru,
}

impl From<TenantInput> for TenantChange {
    fn from(input: TenantInput) -> Self {
        Self {
            name: input.name.map(|name| name.0),
            zone: input.time_zone.map(|zone| zone.name().to_owned()),
            locale: input.locale.map(|locale| match locale {
                Locale::En => "en".to_owned(),
                Locale::Ru => "ru".to_owned(),
            }),
            low_stock_units: input.low_stock.as_ref().and_then(|rule| rule.0.units).map(|units| units.0),
            low_stock_days: input
                .low_stock
                .and_then(|rule| rule.0.days_of_cover)
                .map(|days| days.map(|days| days.0)),
            sync_interval_minutes: input
                .sync_interval_minutes
                .and_then(|minutes| i32::try_from(minutes.0).ok()),
        }
    }
}

fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Zone>, D::Error> {
    let name = String::deserialize(deserializer)?;
    Zone::parse(&name)
        .map(Some)
        .map_err(|_| de::Error::custom("must be an IANA time zone such as Europe/Moscow"))
}
