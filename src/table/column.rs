//! Column names. A stage never spells one as a string literal.

/// Column `source`.
pub const SOURCE: &str = "source";
/// Column `record_id`.
pub const RECORD_ID: &str = "record_id";
/// Column `customer_key`.
pub const CUSTOMER_KEY: &str = "customer_key";
/// Column `given_name`.
pub const GIVEN_NAME: &str = "given_name";
/// Column `family_name`.
pub const FAMILY_NAME: &str = "family_name";
/// Column `full_name`.
pub const FULL_NAME: &str = "full_name";
/// Column `email`.
pub const EMAIL: &str = "email";
/// Column `phone`.
pub const PHONE: &str = "phone";
/// Column `birth_date`.
pub const BIRTH_DATE: &str = "birth_date";
/// Column `gender`.
pub const GENDER: &str = "gender";
/// Column `company`.
pub const COMPANY: &str = "company";
/// Column `street`.
pub const STREET: &str = "street";
/// Column `house_number`.
pub const HOUSE_NUMBER: &str = "house_number";
/// Column `postcode`.
pub const POSTCODE: &str = "postcode";
/// Column `city`.
pub const CITY: &str = "city";
/// Column `region`.
pub const REGION: &str = "region";
/// Column `country`.
pub const COUNTRY: &str = "country";
/// Column `customer_no`.
pub const CUSTOMER_NO: &str = "customer_no";
/// Column `user_id`.
pub const USER_ID: &str = "user_id";
/// Column `device_id`.
pub const DEVICE_ID: &str = "device_id";
/// Column `loyalty_no`.
pub const LOYALTY_NO: &str = "loyalty_no";
/// Column `created_at`.
pub const CREATED_AT: &str = "created_at";
/// Column `updated_at`.
pub const UPDATED_AT: &str = "updated_at";
/// Column `deleted`.
pub const DELETED: &str = "deleted";
/// Column `email_local`.
pub const EMAIL_LOCAL: &str = "email_local";
/// Column `email_domain`.
pub const EMAIL_DOMAIN: &str = "email_domain";
/// Column `given_name_phonetic`.
pub const GIVEN_NAME_PHONETIC: &str = "given_name_phonetic";
/// Column `family_name_phonetic`.
pub const FAMILY_NAME_PHONETIC: &str = "family_name_phonetic";
/// Column `name_tokens`.
pub const NAME_TOKENS: &str = "name_tokens";
/// Column `order_id`.
pub const ORDER_ID: &str = "order_id";
/// Column `contact_record_id`.
pub const CONTACT_RECORD_ID: &str = "contact_record_id";
/// Column `contact_source`.
pub const CONTACT_SOURCE: &str = "contact_source";
/// Column `ordered_at`.
pub const ORDERED_AT: &str = "ordered_at";
/// Column `status`.
pub const STATUS: &str = "status";
/// Column `channel`.
pub const CHANNEL: &str = "channel";
/// Column `currency`.
pub const CURRENCY: &str = "currency";
/// Column `gross`.
pub const GROSS: &str = "gross";
/// Column `discount`.
pub const DISCOUNT: &str = "discount";
/// Column `tax`.
pub const TAX: &str = "tax";
/// Column `shipping`.
pub const SHIPPING: &str = "shipping";
/// Column `refunded`.
pub const REFUNDED: &str = "refunded";
/// Column `cost`.
pub const COST: &str = "cost";
/// Column `line_no`.
pub const LINE_NO: &str = "line_no";
/// Column `sku`.
pub const SKU: &str = "sku";
/// Column `name`.
pub const NAME: &str = "name";
/// Column `category`.
pub const CATEGORY: &str = "category";
/// Column `quantity`.
pub const QUANTITY: &str = "quantity";
/// Column `unit_price`.
pub const UNIT_PRICE: &str = "unit_price";
/// Column `event_id`.
pub const EVENT_ID: &str = "event_id";
/// Column `occurred_at`.
pub const OCCURRED_AT: &str = "occurred_at";
/// Column `started_at`.
pub const STARTED_AT: &str = "started_at";
/// Column `session_id`.
pub const SESSION_ID: &str = "session_id";
/// Column `page`.
pub const PAGE: &str = "page";
/// Column `campaign`.
pub const CAMPAIGN: &str = "campaign";
/// Column `source_medium`.
pub const SOURCE_MEDIUM: &str = "source_medium";
/// Column `interaction_id`.
pub const INTERACTION_ID: &str = "interaction_id";
/// Column `kind`.
pub const KIND: &str = "kind";
/// Column `score`.
pub const SCORE: &str = "score";
/// Column `scale`.
pub const SCALE: &str = "scale";
/// Column `topic`.
pub const TOPIC: &str = "topic";
/// Column `left_source`.
pub const LEFT_SOURCE: &str = "left_source";
/// Column `left_record_id`.
pub const LEFT_RECORD_ID: &str = "left_record_id";
/// Column `right_source`.
pub const RIGHT_SOURCE: &str = "right_source";
/// Column `right_record_id`.
pub const RIGHT_RECORD_ID: &str = "right_record_id";
/// Column `match_weight`.
pub const MATCH_WEIGHT: &str = "match_weight";
/// Column `match_probability`.
pub const MATCH_PROBABILITY: &str = "match_probability";
/// Column `rule`.
pub const RULE: &str = "rule";
/// Column `reason`.
pub const REASON: &str = "reason";
/// Column `event`.
pub const EVENT: &str = "event";
/// Column `run_id`.
pub const RUN_ID: &str = "run_id";
/// Column `version`.
pub const VERSION: &str = "version";
/// Column `old_key`.
pub const OLD_KEY: &str = "old_key";
/// Column `new_key`.
pub const NEW_KEY: &str = "new_key";
/// Column `cause`.
pub const CAUSE: &str = "cause";
/// Column `records_count`.
pub const RECORDS_COUNT: &str = "records_count";
/// Column `file`.
pub const FILE: &str = "file";
/// Column `line`.
pub const LINE: &str = "line";
/// Column `level`.
pub const LEVEL: &str = "level";
/// Column `field`.
pub const FIELD: &str = "field";
/// Column `content`.
pub const CONTENT: &str = "content";
/// Prefix of the consent columns, one a channel: `consent_email`, `consent_sms`, …
pub const CONSENT_PREFIX: &str = "consent_";
/// Ends the column that says when a consent was given or withdrawn: `consent_email_at`.
pub const AT_SUFFIX: &str = "_at";
/// Ends the column of `customers` that says where a value comes from: `consent_email_source`.
pub const SOURCE_SUFFIX: &str = "_source";
/// Column `is_cancelled`.
pub const IS_CANCELLED: &str = "is_cancelled";
/// Column `refunded_at`.
pub const REFUNDED_AT: &str = "refunded_at";
/// Column `other_key`.
pub const OTHER_KEY: &str = "other_key";
/// Column `origin_key`.
pub const ORIGIN_KEY: &str = "origin_key";
/// Column `via_key`.
pub const VIA_KEY: &str = "via_key";
/// Column `created_version`.
pub const CREATED_VERSION: &str = "created_version";
/// Column `merged_version`.
pub const MERGED_VERSION: &str = "merged_version";
/// Column `content_hash`.
pub const CONTENT_HASH: &str = "content_hash";
/// Column `left_customer_key`.
pub const LEFT_CUSTOMER_KEY: &str = "left_customer_key";
/// Column `right_customer_key`.
pub const RIGHT_CUSTOMER_KEY: &str = "right_customer_key";
/// Column `name_source`.
pub const NAME_SOURCE: &str = "name_source";
/// Column `email_source`.
pub const EMAIL_SOURCE: &str = "email_source";
/// Column `phone_source`.
pub const PHONE_SOURCE: &str = "phone_source";
/// Column `address_source`.
pub const ADDRESS_SOURCE: &str = "address_source";
/// Column `sources_count`.
pub const SOURCES_COUNT: &str = "sources_count";
/// Column `first_seen_at`.
pub const FIRST_SEEN_AT: &str = "first_seen_at";
/// Column `last_seen_at`.
pub const LAST_SEEN_AT: &str = "last_seen_at";
/// Column `decision`.
pub const DECISION: &str = "decision";
/// Column `decided_by`.
pub const DECIDED_BY: &str = "decided_by";
/// Column `decided_at`.
pub const DECIDED_AT: &str = "decided_at";
/// Column `column`.
pub const COLUMN: &str = "column";
/// Column `value`.
pub const VALUE: &str = "value";
/// Column `entities_count`.
pub const ENTITIES_COUNT: &str = "entities_count";
/// Column `entities_max`.
pub const ENTITIES_MAX: &str = "entities_max";

/// Columns of which equal values mean one person, the strongest first. Every text column that the record schema does not declare is one, too.
pub const IDENTIFIERS: [&str; 4] = [CUSTOMER_NO, USER_ID, LOYALTY_NO, DEVICE_ID];

/// What matching reads of a person, in order; the identifiers follow.
pub const MATCHING: [&str; 16] = [
    GIVEN_NAME,
    FAMILY_NAME,
    EMAIL,
    EMAIL_LOCAL,
    PHONE,
    BIRTH_DATE,
    GENDER,
    COMPANY,
    STREET,
    HOUSE_NUMBER,
    POSTCODE,
    CITY,
    REGION,
    COUNTRY,
    GIVEN_NAME_PHONETIC,
    FAMILY_NAME_PHONETIC,
];

/// Whether a column is the consent to one channel, and not its time or source.
#[must_use]
pub fn is_consent(name: &str) -> bool {
    name.starts_with(CONSENT_PREFIX) && !name.ends_with(AT_SUFFIX) && !name.ends_with(SOURCE_SUFFIX)
}
