enum FindingsModule {}
