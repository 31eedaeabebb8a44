-- What time and use have left of a memory, 0..1, as consolidation finds it; null: nobody has looked yet. It changes
-- without being projected, so it lies with the access counts.
ALTER TABLE memory_stats ADD COLUMN relevance real;
ALTER TABLE memory_stats ADD CONSTRAINT memory_stats_relevance CHECK (relevance BETWEEN 0 AND 1) NOT VALID;
