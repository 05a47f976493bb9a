// SPDX-License-Identifier: Apache-2.0
#include "conversion.hpp"

#include <memory>
#include <string>
#include <utility>

namespace binding {

namespace {

// --- From Python ---

/// A share in a Python object's memory.
class BufferHold : public Hold {
public:
    explicit BufferHold(nb::handle value)
    {
        if (PyObject_GetBuffer(value.ptr(), &buffer_, PyBUF_SIMPLE) != 0) {
            PyErr_Clear();
            throw nb::cast_error();
        }
    }

    ~BufferHold() override { PyBuffer_Release(&buffer_); }
    BufferHold(const BufferHold&) = delete;
    BufferHold& operator=(const BufferHold&) = delete;

    Octets octets() const
    {
        return {static_cast<const uint8_t*>(buffer_.buf), static_cast<size_t>(buffer_.len)};
    }

private:
    Py_buffer buffer_{};
};

std::string_view text_from_python(nb::handle value)
{
    if (!PyUnicode_Check(value.ptr())) {
        throw nb::cast_error();
    }
    Py_ssize_t size = 0;
    const char* text = PyUnicode_AsUTF8AndSize(value.ptr(), &size);
    if (text == nullptr) {
        throw nb::python_error();
    }
    return {text, static_cast<size_t>(size)};
}

std::vector<std::string_view> texts_from_python(nb::handle values)
{
    std::vector<std::string_view> texts;
    for (nb::handle value : nb::cast<nb::tuple>(values)) {
        texts.push_back(text_from_python(value));
    }
    return texts;
}

Octets octets_from_python(nb::handle value, Content& content)
{
    auto hold = std::make_unique<BufferHold>(value);
    const Octets octets = hold->octets();
    content.holds.push_back(std::move(hold));
    return octets;
}

Values values_from_python(const Struct& structure, nb::handle values, Content& content);

Value value_from_python(
        const Struct& structure, const Field& field, nb::handle value, Content& content)
{
    try {
        switch (field.kind) {
            case Kind::boolean: return {nb::cast<bool>(value)};
            case Kind::int32: return {nb::cast<int32_t>(value)};
            case Kind::uint32: return {nb::cast<uint32_t>(value)};
            case Kind::double_: return {nb::cast<double>(value)};
            case Kind::string: return {text_from_python(value)};
            case Kind::octets: return {octets_from_python(value, content)};
            case Kind::strings: return {texts_from_python(value)};
            case Kind::structure: break;
        }
    } catch (const nb::cast_error&) {
        const std::string action = "write " + structure.name + "." + field.name;
        throw nb::type_error((action + ": the value does not fit its wire type").c_str());
    }
    return {values_from_python(*field.structure, value, content)};
}

Values values_from_python(const Struct& structure, nb::handle values, Content& content)
{
    const size_t count = structure.fields.size();
    if (!PyTuple_Check(values.ptr()) || nb::len(values) != count) {
        throw nb::type_error(
                (structure.name + ": expected a tuple of " + std::to_string(count) + " values")
                        .c_str());
    }
    Values converted;
    converted.reserve(count);
    for (size_t index = 0; index < count; ++index) {
        converted.push_back(value_from_python(structure, structure.fields[index],
                PyTuple_GET_ITEM(values.ptr(), static_cast<Py_ssize_t>(index)), content));
    }
    return converted;
}

// --- To Python ---

/// What a memoryview over a payload belongs to; the payload is free when all of them are gone.
struct View {
    PayloadShare payload;
    Octets octets;
};

int get_buffer(PyObject* self, Py_buffer* buffer, int flags)
{
    const View& view = *nb::inst_ptr<View>(self);
    constexpr int is_read_only = 1;
    return PyBuffer_FillInfo(buffer, self, const_cast<uint8_t*>(view.octets.data),
            static_cast<Py_ssize_t>(view.octets.size), is_read_only, flags);
}

nb::object owned(PyObject* made)
{
    if (made == nullptr) {
        throw nb::python_error();
    }
    return nb::steal(made);
}

nb::object texts_to_python(const std::vector<std::string_view>& texts)
{
    nb::object values = owned(PyTuple_New(static_cast<Py_ssize_t>(texts.size())));
    for (size_t index = 0; index < texts.size(); ++index) {
        PyTuple_SET_ITEM(values.ptr(), static_cast<Py_ssize_t>(index),
                text_to_python(texts[index]).release().ptr());
    }
    return values;
}

nb::object octets_to_python(const Field& field, const Octets& octets, const PayloadShare& payload)
{
    if (!field.is_borrowed) {
        return nb::bytes(octets.data, octets.size);
    }
    // Nothing is no reason to keep a payload.
    nb::object kept =
            octets.size == 0 ? nb::object(nb::bytes("", 0)) : nb::cast(View{payload, octets});
    return owned(PyMemoryView_FromObject(kept.ptr()));
}

nb::object values_to_python(
        const Struct& structure, const Values& values, const PayloadShare& payload);

nb::object value_to_python(const Field& field, const Value& value, const PayloadShare& payload)
{
    const auto& content = value.content;
    switch (field.kind) {
        case Kind::boolean: return nb::bool_(std::get<bool>(content));
        case Kind::int32: return nb::int_(std::get<int32_t>(content));
        case Kind::uint32: return nb::int_(std::get<uint32_t>(content));
        case Kind::double_: return nb::float_(std::get<double>(content));
        case Kind::string: return text_to_python(std::get<std::string_view>(content));
        case Kind::octets: return octets_to_python(field, std::get<Octets>(content), payload);
        case Kind::strings:
            return texts_to_python(std::get<std::vector<std::string_view>>(content));
        case Kind::structure: break;
    }
    return values_to_python(*field.structure, std::get<Values>(content), payload);
}

nb::object values_to_python(
        const Struct& structure, const Values& values, const PayloadShare& payload)
{
    const size_t count = structure.fields.size();
    nb::object converted = owned(PyTuple_New(static_cast<Py_ssize_t>(count)));
    for (size_t index = 0; index < count; ++index) {
        PyTuple_SET_ITEM(converted.ptr(), static_cast<Py_ssize_t>(index),
                value_to_python(structure.fields[index], values.at(index), payload)
                        .release()
                        .ptr());
    }
    return converted;
}

}  // namespace

nb::object text_to_python(std::string_view text)
{
    return owned(
            PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
}

Content content_from_python(const Struct& structure, nb::handle values)
{
    Content content;
    content.values = values_from_python(structure, values, content);
    return content;
}

nb::object content_to_python(const Struct& structure, const Content& content)
{
    return values_to_python(structure, content.values, content.payload);
}

void bind_views(nb::module_& m)
{
    static PyType_Slot slots[] = {
            {Py_bf_getbuffer, reinterpret_cast<void*>(get_buffer)}, {0, nullptr}};
    // Private, and so not in the stub: Python only meets it behind a memoryview.
    nb::class_<View>(
            m, "_View", nb::type_slots(slots), "Keeps the payload that a memoryview shows.");
}

}  // namespace binding
