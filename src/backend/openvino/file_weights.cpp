#include "backend/openvino/file_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "backend/openvino/device.h"
#include "graph/op_schema.h"

namespace gamut::openvino {
namespace {

/// How the ports of a layer spell the type of an element.
std::string port_precision(const ov::element::Type& type) {
  if (type == ov::element::boolean) return "BOOL";
  if (type == ov::element::f32) return "FP32";
  if (type == ov::element::f16) return "FP16";
  std::string name = type.get_type_name();
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
  return name;
}

/// The text of a model in OpenVINO's own format with one Const layer per weight and a Result behind each: reading it is
/// the documented way to constants that lie in a file.
class WeightsModel {
 public:
  void add(const std::string& name, const TensorEntry& entry, const ConstantForm& form) {
    const std::string type = form.type.get_type_name(), precision = port_precision(form.type);
    std::string shape, dims;
    for (size_t dim : form.shape) {
      shape += fmt::format("{}{}", shape.empty() ? "" : ",", dim);
      dims += fmt::format("<dim>{}</dim>", dim);
    }
    const size_t id = 2 * names_.size();
    fmt::format_to(
        std::back_inserter(layers_),
        "<layer id=\"{}\" name=\"{}\" type=\"Const\" version=\"opset1\"><data element_type=\"{}\" "
        "shape=\"{}\" offset=\"{}\" size=\"{}\"/><output><port id=\"0\" precision=\"{}\">{}</port></output></layer>"
        "<layer id=\"{}\" name=\"r{}\" type=\"Result\" version=\"opset1\"><input><port id=\"0\" "
        "precision=\"{}\">{}</port>"
        "</input></layer>",
        id, id, type, shape, entry.offset, entry.bytes, precision, dims, id + 1, id, precision, dims);
    fmt::format_to(std::back_inserter(edges_),
                   "<edge from-layer=\"{}\" from-port=\"0\" to-layer=\"{}\" to-port=\"0\"/>", id, id + 1);
    names_.push_back(name);
  }

  std::map<std::string, Out> read(const ov::Tensor& file) const {
    std::map<std::string, Out> constants;
    if (names_.empty()) return constants;
    const std::string text = fmt::format(
        "<?xml version=\"1.0\"?><net name=\"weights\" version=\"11\"><layers>{}</layers><edges>{}</edges></net>",
        layers_, edges_);
    const std::shared_ptr<ov::Model> model = core().read_model(text, file);
    for (size_t i = 0; i < names_.size(); ++i) {
      const Out constant = model->get_results().at(i)->input_value(0);
      check_internal(constant.get_node()->get_friendly_name() == std::to_string(2 * i), "openvino: weights mixed up");
      constants.emplace(names_[i], constant);
    }
    return constants;
  }

 private:
  std::vector<std::string> names_;
  std::string layers_, edges_;
};

}  // namespace

bool can_share(const Tensor& tensor, DType wanted) {
  const size_t element = static_cast<size_t>(dtype_bits(tensor.dtype())) / 8;
  const bool is_short = tensor.dtype() == DType::kF16 || tensor.dtype() == DType::kBf16;
  if (tensor.dtype() != wanted && !(wanted == DType::kF32 && is_short)) return false;
  return tensor.bytes() > 0 && reinterpret_cast<uintptr_t>(tensor.data()) % element == 0;
}

std::map<std::string, Out> read_file_weights(const Graph& graph, const Weights& weights) {
  WeightsModel model;
  std::map<std::string, bool> seen;
  const char* file = nullptr;
  size_t end = 0;
  for (const Node& node : graph.nodes()) {
    if (node.op != &kWeight) continue;
    const std::string name = node.attributes.s("name");
    const auto tensor = weights.in_place(name);
    if (!tensor || !can_share(*tensor, graph.info(node.outputs[0]).dtype) || !seen.emplace(name, true).second) continue;
    const TensorEntry& entry = *weights.checkpoint()->find(name);
    file = static_cast<const char*>(tensor->data()) - entry.offset;
    end = std::max(end, static_cast<size_t>(entry.offset + entry.bytes));
    model.add(name, entry, form_of(graph, node, entry.dtype, entry.dims));
  }
  return model.read(ov::Tensor(ov::element::u8, ov::Shape{end}, const_cast<char*>(file)));
}

}  // namespace gamut::openvino
