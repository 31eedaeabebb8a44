-- What time and use have left of a memory, 0..1, as consolidation finds it; null: nobody has looked yet. It changes
-- without being projected, so it lies with the access counts.
ALTER TABLE memory_stats ADD COLUMN relevance real CHECK (relevance BETWEEN 0 AND 1);
