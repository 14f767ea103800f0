DROP TABLE idempotent_request;
DROP TABLE seller_limit;
DROP TABLE event;
DROP TABLE job;
