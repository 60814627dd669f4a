"""How long the commands take on a full-size workbook, against openpyxl merely loading it; see README.md."""
