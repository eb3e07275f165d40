// Chat templates: the input is the template; the conversation stays the same.
#include "fuzz.h"
#include "gamut/chat_template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gamut;
  fuzz::works([&] {
    ChatRequest request;
    request.messages =
        R"([{"role": "user", "content": "a é"}, {"role": "assistant", "content": [{"type": "text", "text": "b"}]}])";
    request.tools = R"([{"name": "f", "parameters": {"n": 1.5, "big": 123456789012345678901}}])";
    const RenderedChat rendered = ChatTemplate::parse(fuzz::as_text(data, size)).render(request);
    fuzz::require(text::valid_utf8_prefix(rendered.text) == rendered.text.size(), "a rendered text that is not UTF-8");
  });
  return 0;
}
