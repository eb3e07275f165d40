// Recording a checkpoint: what it takes, and what it says when config.json and checkpoint do not fit.
#include <gtest/gtest.h>

#include "gamut/error.h"
#include "graph/op_schema.h"
#include "graph/printer.h"
#include "graph/verifier.h"
#include "models/architecture.h"
#include "models/sentence_embedding.h"
#include "models/tiny_bert.h"

namespace gamut {
namespace {

using test::tiny_bert_config;
using test::tiny_bert_tensors;

Recorded record(const Json& config, const NamedTensors& tensors, const RecordOptions& options = {}) {
  return record_program(Config::from_json(config), Checkpoint::from_tensors(tensors), options);
}

/// The message of the error that recording gives, with its code in front.
std::string refusal(const Json& config, const NamedTensors& tensors, const RecordOptions& options = {}) {
  try {
    record(config, tensors, options);
  } catch (const Error& error) {
    return std::string(error_code_name(error.code())) + ": " + error.message();
  }
  return "no error";
}

void expect_part(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text << "\nexpected in it: " << part;
}

Json with(Json config, const std::string& name, const Json& value) {
  config[name] = value;
  return config;
}

const char* const kHeads[] = {"BertModel", "BertForMaskedLM", "BertForSequenceClassification",
                              "BertForTokenClassification", "BertForQuestionAnswering"};

TEST(Record, TakesEveryHeadWithNothingLeftOverAndPackable) {
  for (const char* head : kHeads) {
    SCOPED_TRACE(head);
    const Recorded recorded = record(tiny_bert_config(head), tiny_bert_tensors(head), {.strict = true});
    EXPECT_EQ(recorded.program.head, head);
    EXPECT_EQ(recorded.program.model_type, "bert");
    EXPECT_EQ(recorded.program.max_length, test::kTinyPositions);
    EXPECT_TRUE(recorded.unused_tensors.empty());
    const Graph& graph = recorded.program.graph("encode");
    EXPECT_NO_THROW(verify(graph));
    EXPECT_EQ(why_not_packable(graph), "");
    EXPECT_TRUE(graph.assumptions().empty());
    EXPECT_EQ(recorded.program.inputs.size(), 3u);
    EXPECT_EQ(recorded.program.inputs[0].limit, test::kTinyVocabularySize);
    EXPECT_FALSE(recorded.program.inputs[0].fill) << "input_ids must be given";
  }
}

TEST(Record, MakesTheSameGraphWithAndWithoutTheBasePrefix) {
  const Json config = tiny_bert_config();
  const Graph with_prefix =
      std::move(record(config, tiny_bert_tensors("BertModel", "bert.")).program.graphs.at("encode"));
  const Graph without = std::move(record(config, tiny_bert_tensors("BertModel", "")).program.graphs.at("encode"));
  EXPECT_EQ(with_prefix.nodes().size(), without.nodes().size());
  EXPECT_EQ(to_string(with_prefix.info(with_prefix.outputs()[0].second).shape), "[B,S,16]");
}

TEST(Record, TakesTheOldNamesOfNorms) {
  NamedTensors tensors;
  for (auto& [name, tensor] : tiny_bert_tensors()) {
    std::string old = name;
    if (old.ends_with("LayerNorm.weight")) old.replace(old.size() - 6, 6, "gamma");
    if (old.ends_with("LayerNorm.bias")) old.replace(old.size() - 4, 4, "beta");
    tensors[old] = tensor;
  }
  EXPECT_TRUE(record(tiny_bert_config(), tensors, {.strict = true}).unused_tensors.empty());
}

TEST(Record, RefusesModelTypesAndHeadsThatItDoesNotHave) {
  const NamedTensors tensors = tiny_bert_tensors();
  expect_part(refusal(with(tiny_bert_config(), "model_type", "perceptron"), tensors),
              "unsupported: model type \"perceptron\" is not supported; supported: ");
  expect_part(refusal(with(tiny_bert_config(), "model_type", std::string(10000, 'x')), tensors), "unsupported: ");
  EXPECT_LT(refusal(with(tiny_bert_config(), "model_type", std::string(10000, 'x')), tensors).size(), 1000u);
  expect_part(refusal(with(tiny_bert_config(), "model_type", nullptr), tensors), "invalid_file: config.json");
  expect_part(refusal(with(tiny_bert_config(), "model_type", 5), tensors), "invalid_file: config.json");
  expect_part(refusal(tiny_bert_config(), tensors, {.head = "BertForDancing"}),
              "unsupported: head \"BertForDancing\" is unknown for model type bert; expected one of: BertModel");
  expect_part(refusal(tiny_bert_config("BertForDancing"), tensors), "head \"BertForDancing\" of config.json");
  Json without = tiny_bert_config();
  without.erase("architectures");
  EXPECT_EQ(record(without, tensors).program.head, "BertModel");
  EXPECT_EQ(record(with(without, "architectures", Json::array()), tensors).program.head, "BertModel");
}

TEST(Record, NamesAMissingTensor) {
  for (const char* name : {"bert.embeddings.word_embeddings.weight", "bert.encoder.layer.1.attention.self.key.weight",
                           "bert.embeddings.LayerNorm.weight", "bert.encoder.layer.0.output.dense.weight"}) {
    NamedTensors tensors = tiny_bert_tensors();
    tensors.erase(name);
    expect_part(refusal(tiny_bert_config(), tensors),
                std::string("invalid_file: checkpoint: tensor ") + name + " is missing");
  }
}

TEST(Record, PartsThatAreOptionalExistWhenTheirTensorsDo) {
  NamedTensors tensors = tiny_bert_tensors();
  tensors.erase("bert.pooler.dense.weight");
  tensors.erase("bert.pooler.dense.bias");
  tensors.erase("bert.encoder.layer.0.attention.self.key.bias");
  const Recorded recorded = record(tiny_bert_config(), tensors, {.strict = true});
  ASSERT_EQ(recorded.program.outputs.size(), 1u);
  EXPECT_EQ(recorded.program.outputs[0].name, "last_hidden_state");
}

TEST(Record, AnUnusedTensorOfALayerIsAnErrorAnyOtherIsListed) {
  NamedTensors tensors = tiny_bert_tensors();
  tensors["cls.seq_relationship.weight"] = tensors["zzz"] = Tensor::allocate(DType::kF32, {2, 16});
  EXPECT_EQ(record(tiny_bert_config(), tensors).unused_tensors,
            (std::vector<std::string>{"cls.seq_relationship.weight", "zzz"}));
  expect_part(refusal(tiny_bert_config(), tensors, {.strict = true}),
              "2 tensors are not used by the model: cls.seq_relationship.weight, zzz");
  tensors["bert.encoder.layer.0.attention.self.gate.weight"] = Tensor::allocate(DType::kF32, {2});
  expect_part(refusal(tiny_bert_config(), tensors),
              "tensor bert.encoder.layer.0.attention.self.gate.weight of a layer");
  NamedTensors ignored = tiny_bert_tensors();
  ignored["bert.embeddings.position_ids"] = Tensor::allocate(DType::kI64, {1, 32});
  EXPECT_TRUE(record(tiny_bert_config(), ignored, {.strict = true}).unused_tensors.empty());
}

TEST(Record, LayersOfConfigAndCheckpointMustBeEqual) {
  const NamedTensors tensors = tiny_bert_tensors();
  expect_part(refusal(with(tiny_bert_config(), "num_hidden_layers", 3), tensors),
              "tensor bert.encoder.layer.2.attention.self.query.weight is missing");
  expect_part(refusal(with(tiny_bert_config(), "num_hidden_layers", 1), tensors), "tensor bert.encoder.layer.1.");
  expect_part(refusal(with(tiny_bert_config(), "num_hidden_layers", 0), tensors), "tensor bert.encoder.layer.0.");
  expect_part(refusal(with(tiny_bert_config(), "num_hidden_layers", 10000), tensors), "is missing");
}

TEST(Record, WidthMustBeAMultipleOfHeadsAndThatOfTheEmbeddings) {
  const NamedTensors tensors = tiny_bert_tensors();
  expect_part(refusal(with(tiny_bert_config(), "num_attention_heads", 3), tensors),
              "invalid_file: config.json: hidden_size 16 is not a multiple of num_attention_heads 3");
  expect_part(refusal(with(tiny_bert_config(), "num_attention_heads", 32), tensors), "is not a multiple");
  expect_part(refusal(with(tiny_bert_config(), "hidden_size", 32), tensors),
              "hidden_size 32 does not fit the embeddings of width 16");
}

TEST(Record, VariantsThatAreNoEncodersAreRefused) {
  const NamedTensors tensors = tiny_bert_tensors();
  expect_part(refusal(with(tiny_bert_config(), "is_decoder", true), tensors),
              "unsupported: config.json: is_decoder is true");
  expect_part(refusal(with(tiny_bert_config(), "add_cross_attention", true), tensors), "add_cross_attention is true");
  expect_part(refusal(with(tiny_bert_config(), "position_embedding_type", "relative_key"), tensors),
              "position_embedding_type \"relative_key\" is not supported");
  expect_part(refusal(with(tiny_bert_config(), "hidden_act", "sine"), tensors),
              "unsupported: activation \"sine\" is unknown; expected one of: ");
  expect_part(refusal(with(tiny_bert_config(), "hidden_act", 3), tensors),
              "invalid_file: config.json: hidden_act is 3");
}

TEST(Record, OddNumbersInTheConfigAreErrorsOrChangeNothing) {
  const NamedTensors tensors = tiny_bert_tensors();
  const std::string expected = print(record(tiny_bert_config(), tensors).program.graph("encode"));
  const Json values[] = {0,          -1,      7,   1e18, 1e300, -1e18,   INT64_MAX,
                         UINT64_MAX, 1 << 30, 2.5, "16", true,  nullptr, Json::array()};
  for (const char* field : {"hidden_size", "num_attention_heads", "num_hidden_layers"}) {
    for (const Json& value : values) {
      const std::string message = refusal(with(tiny_bert_config(), field, value), tensors);
      EXPECT_NE(message, "no error") << field << " " << value;
      EXPECT_EQ(message.find("internal"), std::string::npos) << message;
    }
  }
  // The checkpoint's own shapes decide about these.
  for (const char* field : {"intermediate_size", "max_position_embeddings", "type_vocab_size", "vocab_size"}) {
    for (const Json& value : values) {
      const Json config = with(tiny_bert_config(), field, value);
      const std::string message = refusal(config, tensors);
      EXPECT_EQ(message.find("internal"), std::string::npos) << message;
      if (message == "no error") {
        EXPECT_EQ(print(record(config, tensors).program.graph("encode")), expected) << field << " " << value;
      }
    }
  }
  for (const Json& value : {Json(-1.0), Json(2), Json(1e300), Json("small"), Json(nullptr)}) {
    expect_part(refusal(with(tiny_bert_config(), "layer_norm_eps", value), tensors), "layer_norm_eps");
  }
}

TEST(Record, TensorsOfAnotherShapeAreErrorsThatNameThePlace) {
  const std::pair<const char*, Dims> broken[] = {{"bert.embeddings.word_embeddings.weight", {}},
                                                 {"bert.embeddings.word_embeddings.weight", {22}},
                                                 {"bert.embeddings.word_embeddings.weight", {22, 16, 1}},
                                                 {"bert.embeddings.word_embeddings.weight", {22, 0}},
                                                 {"bert.embeddings.position_embeddings.weight", {}},
                                                 {"bert.embeddings.position_embeddings.weight", {32}},
                                                 {"bert.embeddings.token_type_embeddings.weight", {}},
                                                 {"bert.embeddings.LayerNorm.weight", {8}},
                                                 {"bert.embeddings.LayerNorm.bias", {16, 1}},
                                                 {"bert.encoder.layer.0.attention.self.query.weight", {12, 16}},
                                                 {"bert.encoder.layer.0.attention.self.query.weight", {16}},
                                                 {"bert.encoder.layer.0.attention.self.key.weight", {8, 16}},
                                                 {"bert.encoder.layer.0.attention.self.query.bias", {}},
                                                 {"bert.encoder.layer.1.output.dense.weight", {16, 25}},
                                                 {"bert.pooler.dense.weight", {16, 15}}};
  for (const auto& [name, dims] : broken) {
    NamedTensors tensors = tiny_bert_tensors();
    tensors[name] = Tensor::allocate(DType::kF32, dims);
    EXPECT_NO_FATAL_FAILURE({
      const std::string message = refusal(tiny_bert_config(), tensors);
      EXPECT_TRUE(message.starts_with("invalid_")) << name << " " << to_string(dims) << ": " << message;
    });
  }
  NamedTensors integers = tiny_bert_tensors();
  integers["bert.encoder.layer.0.output.dense.weight"] = Tensor::allocate(DType::kI64, {16, 24});
  expect_part(refusal(tiny_bert_config(), integers),
              "bert.encoder.layer.0.output.dense: linear: input 1 has dtype I64");
}

TEST(Record, PositionsThatPaddingLeavesMustBeThere) {
  NamedTensors tensors;
  for (auto& [name, tensor] : tiny_bert_tensors("BertModel", "roberta.")) tensors[name] = tensor;
  Json config = tiny_bert_config("RobertaModel");
  config["model_type"] = "roberta";
  config["pad_token_id"] = 1;
  EXPECT_EQ(record(config, tensors).program.max_length, 30);
  config["pad_token_id"] = 30;
  EXPECT_EQ(record(config, tensors).program.max_length, 1);
  for (int64_t pad : {31, 5000, INT32_MAX}) {
    config["pad_token_id"] = pad;
    expect_part(refusal(config, tensors), "pad_token_id " + std::to_string(pad) + " leaves no positions");
  }
}

/// The name of the weight that the language model's last linear reads.
std::string decoder_weight(const Json& config, const NamedTensors& tensors) {
  const Recorded recorded = record(config, tensors, {.strict = true});
  const Graph& graph = recorded.program.graph("encode");
  const Node& linear = graph.producer(graph.outputs()[0].second);
  return graph.producer(linear.inputs[1]).attributes.s("name");
}

TEST(Record, TheDecoderIsTiedUnlessItHasAWeightOfItsOwn) {
  const std::string words = "bert.embeddings.word_embeddings.weight", own = "cls.predictions.decoder.weight";
  NamedTensors tensors = tiny_bert_tensors("BertForMaskedLM");
  const Json config = tiny_bert_config("BertForMaskedLM");
  EXPECT_EQ(decoder_weight(config, tensors), words);
  expect_part(refusal(with(config, "tie_word_embeddings", false), tensors), "tensor " + own + " is missing");
  tensors[own] = Tensor::allocate(DType::kF32, {test::kTinyVocabularySize, test::kTinyWidth});
  EXPECT_EQ(decoder_weight(config, tensors), own);
  EXPECT_EQ(decoder_weight(with(config, "tie_word_embeddings", false), tensors), own);
  tensors["cls.predictions.decoder.bias"] = tensors["cls.predictions.bias"];
  EXPECT_EQ(decoder_weight(config, tensors), own) << "a bias saved under both names is used";
  tensors.erase("cls.predictions.bias");
  tensors.erase("cls.predictions.decoder.bias");
  expect_part(refusal(config, tensors), "tensor cls.predictions.decoder.bias is missing");
}

TEST(Record, AShapeThatDoesNotFitIsTheFilesFault) {
  for (const char* name : {"bert.encoder.layer.0.attention.self.query.weight",
                           "bert.encoder.layer.1.output.LayerNorm.bias", "bert.embeddings.word_embeddings.weight"}) {
    NamedTensors tensors = tiny_bert_tensors();
    const Dims dims(tensors.at(name).dims().size(), 7);
    tensors[name] = Tensor::allocate(DType::kF32, dims);
    const std::string message = refusal(tiny_bert_config(), tensors);
    EXPECT_EQ(message.rfind("invalid_file: ", 0), 0u) << message;
    expect_part(message, "7");
  }
  expect_part(refusal(with(tiny_bert_config(), "num_attention_heads", 5), tiny_bert_tensors()), "invalid_file: ");
}

TEST(Architectures, AreSortedUniqueAndFoundByModelType) {
  ASSERT_FALSE(architectures().empty());
  for (size_t i = 1; i < architectures().size(); ++i) {
    EXPECT_LT(architectures()[i - 1].model_type, architectures()[i].model_type);
  }
  for (const Architecture& architecture : architectures()) {
    EXPECT_EQ(&find_architecture(architecture.model_type), &architecture);
    ASSERT_FALSE(architecture.heads.empty());
    EXPECT_TRUE(is_base_model(architecture, architecture.heads.front()));
  }
  EXPECT_FALSE(is_base_model(find_architecture("bert"), "BertForMaskedLM"));
}

TEST(SentenceEmbedding, ReplacesTheOutputsByOneVectorPerRow) {
  Recorded recorded = record(tiny_bert_config(), tiny_bert_tensors());
  append_sentence_embedding(recorded.program, {.poolings = {"cls", "max"}, .normalize = true});
  const Graph& graph = recorded.program.graph("encode");
  verify(graph);
  EXPECT_EQ(why_not_packable(graph), "");
  ASSERT_EQ(graph.outputs().size(), 1u);
  EXPECT_EQ(graph.outputs()[0].first, "sentence_embedding");
  EXPECT_EQ(to_string(graph.info(graph.outputs()[0].second).shape), "[N,32]");
  ASSERT_EQ(recorded.program.outputs.size(), 1u);
  EXPECT_EQ(recorded.program.outputs[0].lines, Lines::kRows);
  Recorded head = record(tiny_bert_config("BertForMaskedLM"), tiny_bert_tensors("BertForMaskedLM"));
  EXPECT_THROW(append_sentence_embedding(head.program, {}), Error);
}

}  // namespace
}  // namespace gamut
