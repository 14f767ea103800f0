-- What search looks in, by trigrams. The index knows rows by numbers, and those of the products' own rows change when
-- the file is vacuumed: so each product has a number here. The texts themselves are not kept a second time.
CREATE TABLE product_number (
    number     INTEGER PRIMARY KEY,
    tenant_id  UUID    NOT NULL,
    product_id UUID    NOT NULL,
    UNIQUE (tenant_id, product_id)
);
CREATE VIRTUAL TABLE product_text USING fts5 (
    text, content = '', contentless_delete = 1, tokenize = 'trigram case_sensitive 1'
);
INSERT INTO product_number (tenant_id, product_id) SELECT tenant_id, id FROM product;
INSERT INTO product_text (rowid, text)
SELECT n.number, p.search_text FROM product_number n JOIN product p ON p.tenant_id = n.tenant_id AND p.id = n.product_id;

CREATE TRIGGER product_text_added AFTER INSERT ON product
BEGIN
    INSERT INTO product_number (tenant_id, product_id) VALUES (NEW.tenant_id, NEW.id);
    INSERT INTO product_text (rowid, text)
    SELECT number, NEW.search_text FROM product_number WHERE tenant_id = NEW.tenant_id AND product_id = NEW.id;
END;
CREATE TRIGGER product_text_changed AFTER UPDATE OF search_text ON product WHEN OLD.search_text <> NEW.search_text
BEGIN
    UPDATE product_text SET text = NEW.search_text
    WHERE rowid = (SELECT number FROM product_number WHERE tenant_id = NEW.tenant_id AND product_id = NEW.id);
END;
CREATE TRIGGER product_text_removed AFTER DELETE ON product
BEGIN
    DELETE FROM product_text
    WHERE rowid = (SELECT number FROM product_number WHERE tenant_id = OLD.tenant_id AND product_id = OLD.id);
    DELETE FROM product_number WHERE tenant_id = OLD.tenant_id AND product_id = OLD.id;
END;
