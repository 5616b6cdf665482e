enum CapturesModule {}
