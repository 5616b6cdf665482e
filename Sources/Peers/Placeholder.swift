enum PeersModule {}
