-- Who has which book now?
SELECT reader.name, book.title FROM loan JOIN book ON book.id = loan.book JOIN reader ON reader.id = loan.reader
WHERE returned IS NULL;

-- How often was each book lent?
SELECT title, count(loan.book) AS loans FROM book LEFT JOIN loan ON loan.book = book.id GROUP BY book.id ORDER BY loans DESC;
