#include "gamut/conversation.h"

#include "api/api_testing.h"

namespace gamut {
namespace {

using test::expect_part;
using test::refusal;
using test::TinyChatFolder;

struct Opened {
  TinyChatFolder folder;
  Generator generator = Generator::open(folder.path());
  ChatTemplate chat = ChatTemplate::open(folder.path());
  Conversation conversation{generator, chat};

  /// What the prompt says without a conversation.
  GeneratedText alone(const std::string& prompt, int64_t tokens) const {
    return generator.generate({prompt}, {.max_new_tokens = tokens, .add_special_tokens = false}).front();
  }
};

TEST(Conversation, SaysWhatThePromptSaysAndComputesOnlyWhatIsNew) {
  Opened chat;
  const ChatAnswer first = chat.conversation.say("cat", {.max_new_tokens = 6});
  EXPECT_EQ(first.generated.ids, chat.alone("the cat . a", 6).ids);
  EXPECT_EQ(first.generated.prompt_tokens, 4);
  EXPECT_EQ(first.computed_tokens, 4);
  EXPECT_EQ(chat.conversation.kept_tokens(), 4 + 5);
  const std::string second_prompt = "the cat . a " + first.generated.text + " . the dog . a";
  const ChatAnswer second = chat.conversation.say("dog", {.max_new_tokens = 6});
  const GeneratedText expected = chat.alone(second_prompt, 6);
  EXPECT_EQ(second.generated.ids, expected.ids);
  EXPECT_EQ(second.generated.prompt_tokens, expected.prompt_tokens);
  EXPECT_LE(second.computed_tokens, expected.prompt_tokens - 4);
  ASSERT_EQ(chat.conversation.messages().size(), 4u);
  EXPECT_EQ(chat.conversation.messages()[3].role, "assistant");
  EXPECT_EQ(chat.conversation.messages()[3].content, second.generated.text);
}

TEST(Conversation, TheSystemMessageComesFirst) {
  Opened chat;
  chat.conversation.say("cat", {.max_new_tokens = 2});
  chat.conversation.set_system("city");
  chat.conversation.set_system("capital");
  chat.conversation.reset();
  const ChatAnswer answer = chat.conversation.say("cat", {.max_new_tokens = 6});
  EXPECT_EQ(answer.generated.ids, chat.alone("paris capital . the cat . a", 6).ids);
  chat.conversation.set_system("");
  EXPECT_EQ(chat.conversation.messages().front().role, "user");
}

TEST(Conversation, UndoTakesBackAMessageAndItsAnswer) {
  Opened chat;
  const GeneratedText first = chat.conversation.say("cat", {.max_new_tokens = 6}).generated;
  chat.conversation.say("dog", {.max_new_tokens = 6});
  EXPECT_TRUE(chat.conversation.undo());
  EXPECT_TRUE(chat.conversation.undo());
  EXPECT_FALSE(chat.conversation.undo());
  const ChatAnswer again = chat.conversation.say("cat", {.max_new_tokens = 6});
  EXPECT_EQ(again.generated.ids, first.ids);
  EXPECT_EQ(again.computed_tokens, 1) << "the prompt was there but for its last token, which has the logits";
}

TEST(Conversation, AnInterruptedAnswerStaysAndTheConversationGoesOn) {
  Opened chat;
  int pieces = 0;
  const ChatAnswer cut =
      chat.conversation.say("cat", {.max_new_tokens = 50}, [&](size_t, std::string_view) { return ++pieces < 3; });
  EXPECT_EQ(cut.generated.finish_reason, "cancelled");
  ASSERT_EQ(chat.conversation.messages().size(), 2u);
  EXPECT_EQ(chat.conversation.messages()[1].content, cut.generated.text);
  const ChatAnswer next = chat.conversation.say("dog", {.max_new_tokens = 4});
  EXPECT_EQ(next.generated.ids, chat.alone("the cat . a " + cut.generated.text + " . the dog . a", 4).ids);
  // One that has not begun leaves nothing.
  const ChatAnswer none = chat.conversation.say("mat", {.max_new_tokens = 4, .is_cancelled = [] { return true; }});
  EXPECT_EQ(none.generated.finish_reason, "cancelled");
  EXPECT_EQ(chat.conversation.messages().size(), 4u);
}

TEST(Conversation, AFullContextIsAnErrorOfOneMessage) {
  Opened chat;
  const ChatAnswer longest = chat.conversation.say("cat");
  EXPECT_TRUE(longest.is_context_full);
  EXPECT_EQ(longest.generated.prompt_tokens + static_cast<int64_t>(longest.generated.ids.size()), 256);
  std::string words;
  for (int i = 0; i < 256; ++i) words += "dog ";
  expect_part(refusal([&] { chat.conversation.say(words); }), "resource_limit: the conversation has ");
  EXPECT_EQ(chat.conversation.messages().size(), 2u);
  EXPECT_TRUE(chat.conversation.undo());
  EXPECT_EQ(chat.conversation.say("cat", {.max_new_tokens = 4}).generated.ids, chat.alone("the cat . a", 4).ids);
}

TEST(Conversation, AFullStateIsAnErrorOfOneMessage) {
  const TinyChatFolder folder;
  const size_t page = 2 * 2 * (4 + 4) * 64 * sizeof(float);
  const Generator generator = Generator::open(folder.path(), {.precision = "f32"}, 2 * page);
  Conversation conversation(generator, ChatTemplate::open(folder.path()));
  expect_part(refusal([&] { conversation.say("cat", {.max_new_tokens = 200}); }), "resource_limit: the states");
  EXPECT_TRUE(conversation.messages().empty());
  EXPECT_EQ(conversation.say("cat", {.max_new_tokens = 20}).generated.ids.size(), 20u);
}

TEST(Conversation, HostileMessages) {
  Opened chat;
  for (const std::string& message : {std::string(), std::string("\xff\xfe"), std::string("a\0b", 3),
                                     std::string("{{ m.content }}"), std::string("\xed\xa0\x80 \xf4\x90\x80\x80")}) {
    EXPECT_EQ(chat.conversation.say(message, {.max_new_tokens = 2}).generated.ids.size(), 2u);
  }
  std::string huge;
  for (int i = 0; i < 100000; ++i) huge += "cat ";
  expect_part(refusal([&] { chat.conversation.say(huge); }), "leaves no room for an answer");
  expect_part(refusal([&] { chat.conversation.say("cat", {.max_new_tokens = -1}); }), "invalid_argument");
  EXPECT_EQ(chat.conversation.messages().size(), 10u);
}

TEST(Conversation, NeedsATokenizer) {
  const TinyChatFolder folder;
  const ChatTemplate chat = ChatTemplate::open(folder.path());
  folder.remove("vocab.txt");
  folder.remove("tokenizer_config.json");
  const Generator generator = Generator::open(folder.path());
  expect_part(refusal([&] { Conversation(generator, chat); }), "not_found: the model folder has no tokenizer files");
}

}  // namespace
}  // namespace gamut
