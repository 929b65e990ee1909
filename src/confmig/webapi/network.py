"""Why a connection failed, in words that people can use."""


def reason_of(error: Exception) -> str:
    """The innermost reason, without the library's own names around it."""
    text = str(error)
    if "[Errno" in text:
        return text[text.index("] ", text.index("[Errno")) + 2 :].strip("()'\" ")[:300]
    return text.partition("Caused by ")[2].strip("()'\" ")[:300] or text[:300]
