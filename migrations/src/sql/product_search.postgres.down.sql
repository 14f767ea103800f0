-- The extensions stay: they may have been there before, and something else may use them by now.
DROP FUNCTION product_search(text);
DROP TRIGGER product_text_added ON product;
DROP TRIGGER product_text_changed ON product;
DROP FUNCTION keep_product_text();
DROP TABLE product_text;
