DROP TABLE refresh_token;
DROP TABLE session;
DROP TABLE membership;
DROP TABLE tenant;
DROP TABLE identity;
