use sqlx::{Connection, Executor, SqliteConnection};
use test_support::sqlite::SqliteFile;

#[tokio::test]
async fn a_file_is_made_on_opening_and_goes_with_its_folder() {
    let file = SqliteFile::new().unwrap();
    assert!(!file.path().exists());
    let mut connection = SqliteConnection::connect(&file.url()).await.unwrap();
    connection.execute("PRAGMA journal_mode = WAL; CREATE TABLE t (n INTEGER)").await.unwrap();
    let (path, folder) = (file.path(), file.path().parent().unwrap().to_owned());
    assert!(path.exists());
    drop(file);
    assert!(!folder.exists());
}
