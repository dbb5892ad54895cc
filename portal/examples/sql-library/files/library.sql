PRAGMA foreign_keys = ON;
DROP TABLE IF EXISTS loan;
DROP TABLE IF EXISTS book;
DROP TABLE IF EXISTS reader;
CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT NOT NULL, author TEXT NOT NULL, year INTEGER NOT NULL);
CREATE TABLE reader (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE loan (
    book INTEGER NOT NULL REFERENCES book, reader INTEGER NOT NULL REFERENCES reader,
    taken TEXT NOT NULL, returned TEXT, PRIMARY KEY (book, reader, taken)
);
INSERT INTO book VALUES
    (1, 'Frankenstein', 'Mary Shelley', 1818), (2, 'Moby-Dick', 'Herman Melville', 1851),
    (3, 'Alice''s Adventures in Wonderland', 'Lewis Carroll', 1865), (4, 'Mujeong', 'Yi Gwangsu', 1917),
    (5, 'Middlemarch', 'George Eliot', 1871), (6, 'The Time Machine', 'H. G. Wells', 1895);
INSERT INTO reader VALUES (1, 'Mina'), (2, 'Jun'), (3, 'Clara');
INSERT INTO loan VALUES
    (1, 1, '2026-03-02', '2026-03-09'), (3, 1, '2026-03-09', '2026-03-20'), (6, 1, '2026-04-01', NULL),
    (2, 2, '2026-03-05', '2026-04-28'), (4, 2, '2026-05-02', NULL), (1, 2, '2026-03-12', '2026-03-15'),
    (3, 3, '2026-04-02', '2026-04-10');
