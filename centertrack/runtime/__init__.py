"""Networks executed by PyTorch, ONNX Runtime, OpenVINO or TensorRT, and their conversions."""
