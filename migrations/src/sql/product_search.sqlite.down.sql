DROP TRIGGER product_text_added;
DROP TRIGGER product_text_changed;
DROP TRIGGER product_text_removed;
DROP TABLE product_text;
DROP TABLE product_number;
