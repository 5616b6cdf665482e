enum ReferenceBackendModule {}
