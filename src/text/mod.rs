//! Pure functions over one text: names, e-mail, phone, address, date, number. `standardize` applies them to columns, the SQL
//! functions offer them to mapping queries.

pub mod address;
pub mod case;
pub mod company;
pub mod country;
pub mod date;
pub mod email;
pub mod fold;
pub mod gender;
pub mod given_names;
pub mod identifier;
pub mod mask;
pub mod name;
pub mod nickname;
pub mod number;
pub mod phone;
pub mod phonetic;
pub mod place;
pub mod placeholder;
pub mod spreadsheet;
