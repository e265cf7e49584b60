"""A day's list: many questions about many pictures, asked of a bundle or of a service, and their answers in a file.

A list is read whole before anything is asked (:mod:`~edgekit.batch.rows`). What then goes wrong with one of its rows is
that row's, and stands where its answer would. Each answer is written as it comes (:mod:`~edgekit.batch.results`), so
that a run that was ended, however, is gone on with by the next.
"""
