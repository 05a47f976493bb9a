"""How well do the unit tests hold the code? Changes it at random, and sees which changes they fail.

`scripts/mutate PACKAGE` draws a sample of *mutants* (`draw`): copies of a module with one small
change, such as `<=` for `<`. Each is judged by the unit tests of its package (`judge`): it is
*killed* if one fails, and has *survived* otherwise. A survivor is a rule that no test holds, or it
is *equivalent*: no caller can notice the change. Those are listed with their reason in
`equivalent.toml`, and not shown again.
"""
