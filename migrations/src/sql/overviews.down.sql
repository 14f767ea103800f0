DROP VIEW sync_overview;
DROP VIEW product_overview;
