-- Whether what is derived from the text was read by a language model: the reader that comes with Loci then leaves it alone.
ALTER TABLE enrichments ADD COLUMN by_model boolean NOT NULL DEFAULT false;
