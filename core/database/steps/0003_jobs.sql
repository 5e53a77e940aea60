-- The job queue: the schema that procrastinate 3.10.0 brings along, unchanged, in schema jobs. The release is pinned;
-- a newer one brings its migrations as further steps.

set local search_path = jobs, public;
-- include: procrastinate 3.10.0
set local search_path = public, jobs;
