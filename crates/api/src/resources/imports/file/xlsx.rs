//! Lines of the first sheet of a workbook.

use std::{
    fs::File,
    io::{self, BufReader, Seek as _, SeekFrom},
};

use calamine::{DataRef, Reader as _, SheetType, SheetVisible, Xlsx, XlsxError};
use domain::import::{Cell, Line, Sheet};

use super::{Contents, MOST_COLUMNS, archive};

/// Reads a workbook. Fails only if the file itself cannot be read.
pub(super) fn read<L: Line>(mut file: File) -> io::Result<Contents<L>> {
    if let Some(detail) = archive::refusal(BufReader::new(&file))? {
        return Ok(Contents::unreadable(detail));
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(lines(file).unwrap_or_else(|error| {
        tracing::info!(%error, "a workbook could not be read");
        Contents::unreadable("is a damaged workbook, or none (XLSX)")
    }))
}

fn lines<L: Line>(file: File) -> Result<Contents<L>, XlsxError> {
    let mut workbook: Xlsx<_> = Xlsx::new(BufReader::new(file))?;
    let sheets = workbook.sheets_metadata().iter();
    let mut shown = sheets.filter(|s| s.typ == SheetType::WorkSheet && s.visible == SheetVisible::Visible);
    let Some(name) = shown.next().map(|sheet| sheet.name.clone()) else {
        return Ok(Contents::unreadable("has no sheet"));
    };
    let mut table = Table { sheet: None, row: 0, cells: Vec::new() };
    let mut cells = workbook.worksheet_cells_reader(&name)?;
    let mut goes_on = true;
    while goes_on && let Some(cell) = cells.next_cell()? {
        let (row, column) = cell.get_position();
        if row < table.row {
            return Ok(Contents::unreadable("is a workbook whose rows are out of order"));
        }
        if row > table.row {
            goes_on = table.end_row();
            table.row = row;
        }
        let column = column as usize;
        if column < MOST_COLUMNS {
            if table.cells.len() <= column {
                table.cells.resize(column + 1, Cell::Empty);
            }
            table.cells[column] = read_cell(cell.get_value());
        }
    }
    table.end_row();
    let Some(sheet) = table.sheet else { return Ok(Contents::unreadable("is empty")) };
    Ok(Contents { file: sheet.finish(), encoding: None, separator: None })
}

/// A sheet that is being read, row by row.
struct Table<L> {
    sheet: Option<Sheet<L>>,
    /// The row that is being read, from 0.
    row: u32,
    cells: Vec<Cell<'static>>,
}

impl<L: Line> Table<L> {
    /// Ends a row. Says whether to go on.
    fn end_row(&mut self) -> bool {
        let cells = std::mem::take(&mut self.cells);
        match &mut self.sheet {
            None if cells.iter().all(Cell::is_blank) => true,
            None => {
                self.sheet = Some(Sheet::new(&cells));
                true
            }
            Some(sheet) => sheet.push(u64::from(self.row) + 1, &cells),
        }
    }
}

fn read_cell(value: &DataRef<'_>) -> Cell<'static> {
    match value {
        DataRef::Empty => Cell::Empty,
        DataRef::String(text) => Cell::Text(text.clone().into()),
        DataRef::SharedString(text) => Cell::Text((*text).to_owned().into()),
        #[expect(clippy::cast_precision_loss, reason = "spreadsheets keep numbers like this")]
        DataRef::Int(number) => Cell::Number(*number as f64),
        DataRef::Float(number) => Cell::Number(*number),
        DataRef::Bool(_) => Cell::Flag,
        DataRef::DateTime(_) | DataRef::DateTimeIso(_) | DataRef::DurationIso(_) => Cell::Moment,
        DataRef::Error(_) => Cell::Fault,
    }
}
