enum ProxyRuntimeModule {}
