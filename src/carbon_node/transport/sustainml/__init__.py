"""The transport that runs on the `sustainml_py` library of a SustainML workspace.

`transport` belongs to the event loop, `callbacks` to the library's threads, and `rendezvous` is
where these wait for the loop's answer. `objects` reads and fills the library's samples;
`identities` names their writers, which the library does not tell.
"""
