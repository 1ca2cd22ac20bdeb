-- Rises with every token that ends or changes: what was known of tokens under it still holds while it stands.
ALTER TABLE installation ADD COLUMN token_epoch bigint NOT NULL DEFAULT 1;
